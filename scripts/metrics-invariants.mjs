// Relations between metrics that must hold: the last part of docs/metrics.md.

export const INVARIANTS = `## Invariants

These relations hold at every moment; if one does not, it is a bug of Weir.

- \`weir_shard_state_offered_total\` = \`weir_shard_state_sent_total\` + \`weir_shard_state_withheld_total\`
- \`weir_shard_cosmetic_offered_total\` = \`weir_shard_cosmetic_sent_total\` + \`weir_shard_cosmetic_dropped_total\`
- Every end has one cause, in a shard: \`weir_shard_admissions_total{outcome="admitted"}\` = \`weir_shard_connections\` + \`weir_shard_endings_total\`, and \`weir_shard_closes_total\` = \`weir_shard_connections_by_state{state="closing"}\` + \`weir_shard_endings_total\`
- Every end has one cause, in a router: \`weir_router_upgrades_total\` = \`weir_router_open_clients\` + \`weir_router_connects_total\`, and \`weir_router_connects_total\` = \`weir_router_closing_clients\` + \`weir_router_endings_total\`
- Each client that the router upgraded is once in \`weir_router_connects_total\`; a refusal by a close is in \`weir_router_refusals_total\` too
- \`weir_shard_pongs_total\` ≤ \`weir_shard_pings_total\`
- \`weir_shard_delivered_bytes_total\` ≤ \`weir_shard_written_bytes_total\`
- \`weir_shard_hand_overs_outstanding\` ≤ \`weir_shard_threads\`
- The states of \`weir_shard_connections_by_state\` add up to \`weir_shard_connections\` of the last sweep (four a second)
- Each message of an answered request is once in \`weir_publisher_messages_total\` or \`weir_publisher_invalid_messages_total\`
`;

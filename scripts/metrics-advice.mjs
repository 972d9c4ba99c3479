// What an operator looks at, by metric: the last column of docs/metrics.md. Everything else there is the code's.

export const advice = {
  weir_build_info: 'Two versions at a time outside a rollout',
  weir_nats_connected:
    '0 for more than a few seconds: shards serve what they have and grow stale, the publisher answers 503',
  weir_shard_compressed_in_bytes_total:
    'Against `compressed_out`: the ratio. Near 1 means that compression costs CPU for nothing',
  weir_shard_compressed_out_bytes_total: 'Against `compressed_in`',
  weir_nats_reconnects_total: 'A steady rate: the network or NATS itself',
  weir_nats_dropped_messages_total:
    'Above 0: a client of NATS sends headers that are none; look at its permissions',

  weir_router_probe_duration_seconds:
    'The median is the usual RTT, twice to five times; most of it at 1.5 s means that clients do not answer',
  weir_router_connects_total:
    '`noCapacity`: add shards. `failed` is a fault of ours. `left` rises where clients give up first',
  weir_router_refusals_total:
    '`rate`: an attack, or an office behind one address. `room`: more routers. `origin`: a page that is not on the list. `token`: the issuer or a clock. `keys`: the key set cannot be fetched',
  weir_router_connection_faults_total:
    'A rise of `tooMany` or `timeout`: somebody holds sockets open, or a load balancer probes with bare TCP',
  weir_router_probes_total:
    '`noBudget`: a reconnect storm, or WEIR_PROBE_BYTES_PER_SECOND is too small. `silent`: something on the way answers no pings. `closedOnPad`: a client that cannot take the pad',
  weir_router_probe_bytes_total: 'Its rate against WEIR_PROBE_BYTES_PER_SECOND',
  weir_router_classes_total:
    'A jump of one pool, or many `low`: a network that changed, or a router that is short of CPU',
  weir_router_placements_total:
    '`empty`, `full`, `notReady`: nobody can be placed. `otherPool`: a pool is full or gone. `stale`: NATS is away for the shards',
  weir_router_tickets_total: 'How new clients part between the pools',
  weir_router_hints_total:
    '`refused`: keys differ between services, or forgeries. `elsewhere` is a client that changed its network',
  weir_router_remeasured_total:
    'Many `same`: shards ask clients that are fine where they are; look at their delivery lag, at WEIR_DEMOTION_LAG_MS and at WEIR_PROMOTION_LAG_MS',
  weir_router_upgrades_total: 'The rate of clients that come',
  weir_router_open_clients: 'Grows with the time that the probe takes',
  weir_router_closing_clients:
    'Many for long: clients that never answer a Close, see `weir_router_endings_total`',
  weir_router_endings_total:
    '`cut`: clients that never answer a Close; many of them hold sockets for WEIR_CLOSE_WAIT_MS',
  weir_router_token_keys_total:
    '`unavailable` or `stale`: the key set cannot be fetched. `unknown`: tokens of a foreign issuer',
  weir_router_key_fetches_total: '`failed`: WEIR_JWT_JWKS_URL does not answer in time with a key set',
  weir_router_used_hints: 'At WEIR_MAX_USED_HINTS moved clients come with their token instead',
  weir_router_beats_total:
    '`invalid`: another version or a stranger on the subject. `full`: more shards than WEIR_MAX_SHARDS',
  weir_router_endpoint_problems_total:
    'A steady rate: the API server, or the right to list and watch EndpointSlices',
  weir_router_endpoint_view_age_seconds: 'Over 60 it is no opinion any more, and beats decide alone',
  weir_router_pending_clients: 'Against WEIR_MAX_PENDING; beyond it clients are refused',
  weir_router_open_sockets: 'Against WEIR_MAX_SOCKETS',
  weir_router_rate_limit_networks: 'At WEIR_MAX_ADDRESSES the least recent is forgotten',
  weir_router_roster_stale: '1: this router hears no shard and sends clients to the last that it knew',
  weir_router_beat_clock_skew_seconds: 'Beyond 5 s tickets are refused: fix the clocks',
  weir_router_roster_shards: 'No `serving` shard in a pool; `full` before the autoscaler acts',

  weir_shard_admissions_total:
    '`expired`, `clockSkew`: clocks, or clients slower than the ticket lives. `forged`: keys differ. `used`: a client that tries twice. `full`: the capacity. `drawsTooMuch`: clients of one network come again and again without a position, or the network is large: WEIR_NETWORK_DRAW_BYTES_PER_SECOND. `failed` is a fault of ours',
  weir_shard_connection_faults_total:
    '`tooMany`, `timeout`: somebody holds sockets open, or a load balancer probes with bare TCP. `acceptFailed`: the system has no room for a socket',
  weir_shard_open_sockets:
    'Against WEIR_CAPACITY + WEIR_MAX_PENDING; 256 more are told that there is no room',
  weir_shard_intake_messages_total: 'The rate of what is published; all shards of a cluster see the same',
  weir_shard_intake_rejected_total:
    'Any rise: a publisher sends what cannot be broadcast; `weir.rejected` has copies with the reason. `stateFull`: WEIR_STATE_MAX_KEYS or WEIR_STATE_MAX_BYTES',
  weir_shard_intake_cosmetic_dropped_total:
    'Cosmetic traffic is over WEIR_COSMETIC_MAX_PER_TICK or its bytes',
  weir_shard_closes_total:
    '`lag`: clients that prove nothing any more. `hardBytes`: the same, earlier, since critical messages waited for them. `tooManyMessages`, `protocolError`, `badData`, `tooLarge`: clients that do not keep to the protocol. `tokenExpired`: clients that do not come with a fresh token in time. `lost`: networks, or a proxy that cuts. `threadDied` is a fault of ours',
  weir_shard_endings_total:
    '`flooded`: clients that went on sending after their Close. Many `cut`: clients that never answer a Close',
  weir_shard_healthy_pongs_total:
    '`move` against `weir_router_remeasured_total{result="faster"}`: how many were led up. `tooNew`: they wait for the end of their stay. `shardIsSlow`: as for the slow ones',
  weir_shard_slow_pongs_total:
    '`shardIsSlow`: many turned slow at once, so nobody is moved: look at the shard, its node and the edge',
  weir_shard_moves_total:
    '`rebalance`: clients sent to emptier shards of the pool. `tooSlow`, `promote`: clients sent to be measured again',
  weir_shard_shed_requests_total:
    'What control asks for. `nobody`: clients are too new, or were asked before. `unfit`: it drains, is stale or not ready. `tooOften`: somebody else asks, too',
  weir_shard_intake_problems_total:
    '`epoch`: a stream was made anew or restored, clients get snapshots. `gap`: republished messages were missed and read from the stream. `failed`: the stream cannot be read. `missing`: messages were purged or aged out, and the shard wrote deletions in their place',
  weir_shard_delivery_lag_seconds:
    'The tail is slow clients; when the median moves it is the shard or its network',
  weir_shard_tick_lateness_seconds: 'Over a tenth of the tick: the process is short of CPU',
  weir_shard_connections: 'Against WEIR_CAPACITY',
  weir_shard_connections_by_state:
    'Many `congested`: the limits of the pool are small for what is published, or its clients slow. Many `behind` are clients that have just come',
  weir_shard_healthy_backlog_bytes:
    'Grows with the load and with the distance of the clients. Clients that are merely slow are not in it',
  weir_shard_awaited_bytes:
    'Near 0 at any distance while the shard keeps up. The HPA goes by it: it grows where the shard or its network does not keep up, and more shards make it smaller',
  weir_shard_connection_backlog_bytes: 'How many clients are near WEIR_SOFT_BYTES and WEIR_HARD_BYTES',
  weir_shard_buffered_bytes:
    'Above 0: the kernel takes no more for that client. Against the backlog: what kernels and proxies hold',
  weir_shard_delivered_bytes_total: 'Against the bytes written; falls behind them while clients do not drain',
  weir_shard_threads: 'Below WEIR_THREADS for more than a second: threads cannot be started',
  weir_shard_thread_deaths_total: 'Any rise: a fault of ours; the clients of that thread had to come back',
  weir_shard_thread_loop_utilisation:
    'Near 1: ticks merge soon. One high and others low: clients are spread unevenly',
  weir_shard_hand_overs_total: 'Ticks and bursts of critical messages, once a thread',
  weir_shard_hand_over_bytes_total: 'Grows with what is published and with WEIR_THREADS, not with clients',
  weir_shard_hand_overs_outstanding: 'At one a thread for long: threads are short of CPU',
  weir_shard_merged_ticks_total: 'Its part of the hand-overs: how often threads cannot keep the tick',
  weir_shard_merged_cosmetic_dropped_total: 'See the merged ticks',
  weir_shard_groups:
    'Clients with the same channels share their writes; as many groups as connections means that none do',
  weir_shard_connections_behind:
    'Its part of the connections: many at once is the network or this shard, not the clients',
  weir_shard_draining_shards:
    'Above the drain.together of the chart: they may move faster than the pace of one',
  weir_shard_handshakes_pending: 'Against WEIR_MAX_PENDING',
  weir_shard_used_tickets: 'Against WEIR_MAX_USED_TICKETS',
  weir_shard_backlog_bytes:
    'Grows with slow clients, bounded by hardBytes a connection, or by its window where that is larger',
  weir_shard_stale: '1 for more than a few seconds: NATS is away, or the streams cannot be read',
  weir_shard_ready: '0 outside start and drain',
  weir_shard_state_channels:
    'A channel for each name that ever had state: growth without end is a publisher that makes up names',
  weir_shard_state_keys: 'Against WEIR_STATE_MAX_KEYS',
  weir_shard_state_deletions: 'With the keys never more than WEIR_STATE_MAX_KEYS',
  weir_shard_state_evicted_deletions_total:
    'A steady rate: more deletions within WEIR_STATE_DELETION_MS than WEIR_STATE_MAX_KEYS leaves room for, so clients that come back get snapshots',
  weir_shard_state_bytes: 'Against WEIR_STATE_MAX_BYTES',
  weir_shard_lost_state_keys:
    'Above 0: the stream became empty, went back or was purged. docs/lost-state.md, before any shard is restarted',
  weir_shard_lost_state_bytes: 'Memory beside the state lane, at most WEIR_STATE_MAX_BYTES',
  weir_shard_state_lost_keys_total: 'Any rise: a purge, or a store that lost something',
  weir_shard_lost_state_discarded_keys_total:
    'A rise that nobody asked for: they were not written back in time',
  weir_shard_critical_lost_messages_total:
    'Any rise: a purge, or a store that lost something. Clients have gaps',
  weir_shard_critical_messages: 'What resuming clients can still get',
  weir_shard_critical_bytes:
    'Against WEIR_CRITICAL_MAX_BYTES: at the limit the window is shorter than WEIR_CRITICAL_MAX_AGE_MS',
  weir_shard_critical_dropped_total:
    'Above 0: the window is shorter than WEIR_CRITICAL_MAX_AGE_MS, and clients that come back late are told a gap; raise WEIR_CRITICAL_MAX_PER_CHANNEL (`perChannel`) or WEIR_CRITICAL_MAX_BYTES (`bytes`)',
  weir_shard_drawing_networks: 'At WEIR_MAX_NETWORKS the least recent are forgotten',
  weir_shard_state_offered_total: 'See the invariants below',
  weir_shard_state_sent_total: 'See the invariants below',
  weir_shard_state_withheld_total: 'Its part of the offered: how much of the audience is congested',
  weir_shard_cosmetic_offered_total: 'See the invariants below',
  weir_shard_cosmetic_sent_total: 'See the invariants below',
  weir_shard_cosmetic_dropped_total: 'Its part of the offered',
  weir_shard_critical_withheld_total:
    'Grows: critical messages come faster than some networks take them, or behind ticks near WEIR_HARD_BYTES',
  weir_shard_critical_sent_total: 'Flat while critical messages are taken in: nobody is subscribed',
  weir_shard_writes_total: 'Writes per second are what costs CPU',
  weir_shard_written_bytes_total: 'Egress, before TLS and TCP',
  weir_shard_pings_total: 'Against the pongs: what is answered',
  weir_shard_pongs_total: 'Far fewer than pings: clients or a proxy that do not answer',
  weir_shard_pongs_foreign_total: 'A steady rate: a client that makes up pongs',
  weir_shard_catch_ups_total: 'Rises with congestion, resumes and moves',
  weir_shard_congestions_total: 'Its rate against the recoveries: whether clients come back',
  weir_shard_recoveries_total: 'See the congestions',
  weir_shard_frames_encoded_total:
    'Does not grow with the number of clients; where it does, cursors are all different',
  weir_shard_encoded_bytes_total: 'Against the bytes written: how often each frame was shared',
  weir_shard_state_keys_encoded_total: 'Values per second after conflation; far below the intake is normal',

  weir_publisher_messages_total:
    '`unavailable`: NATS is away. `unknown`: no acknowledgement in time, the message may be there. `refused`: the stream does not take it. `duplicate`: the stream had its id already, nothing was stored again',
  weir_publisher_message_bytes_total: 'The rate of what goes into NATS',
  weir_publisher_invalid_messages_total: 'A publisher that is wrong; the answer told it',
  weir_publisher_requests_total: '`5xx`: NATS is away or the limits are reached',
  weir_publisher_refused_requests_total: 'Which limit',
  weir_publisher_ack_seconds: 'The p99: the disk of JetStream, or its replicas',
  weir_publisher_in_flight_messages: 'At WEIR_MAX_IN_FLIGHT requests wait',
  weir_publisher_in_flight_requests: 'At WEIR_MAX_REQUESTS requests are answered 503',

  weir_control_beats_total:
    '`invalid`: another version or a stranger on the subject. `full`: more shards than WEIR_MAX_SHARDS',
  weir_control_metric_queries_total:
    '`stale`: autoscalers hold still, since NATS or the shards are not heard. `measured` standing still: nobody asks, so nothing scales. `refused`: somebody asks past the API server',
  weir_control_kubernetes_problems_total:
    '`pods`, `lease`: the API server or the rights of control. `trust`: no certificate, the metrics API cannot start. `caBundle`: the API server does not believe it',
  weir_control_ca_bundles_total: '`foreign`: another provider owns the API group',
  weir_control_rebalance_rounds_total:
    '`unanswered`: shards that do not listen. `nobodyMoved`: clients that are too new to be moved, or cannot',
  weir_control_moves_asked_total: 'Rises after a scale-up and then stands still; a steady rise is a fault',
  weir_control_moves_accepted_total: 'Against the asked',
  weir_control_deletion_costs_written_total: 'At most one a minute a pod',
  weir_control_clean_up_rounds_total:
    '`more` all the time: deletions come faster than WEIR_CLEAN_UP_PER_SECOND. `failed`: the log says why. `otherControl`: two controls without Kubernetes',
  weir_control_deletions_removed_total: 'Follows the rate of deletions, WEIR_CLEAN_UP_AFTER_MS later',
  weir_control_stream_bytes: 'Against `max_bytes`',
  weir_control_stream_max_bytes: 'WEIR_STREAM_MAX_BYTES of the shards, or more where a person raised it',
  weir_control_stream_messages: 'State: keys, deletions that are not cleaned up yet, and a mark',
  weir_control_stream_max_messages: 'Weir sets none',
  weir_control_stream_fill_ratio:
    'State near 1: new keys are refused, and plain publishers are not told. Critical near 1: the window is shorter than WEIR_CRITICAL_MAX_AGE_MS. Raise WEIR_STREAM_MAX_BYTES',
  weir_control_stream_looks_total:
    '`lost`: see `not_stored`. `failed`: the log says why. `seen`: this control does not lead, or does not count',
  weir_control_stream_counted_messages_total: 'One second of every WEIR_MEASURE_EVERY_MS is counted',
  weir_control_stream_not_stored_messages_total:
    'Any rise: messages are lost, and about WEIR_MEASURE_EVERY_MS / 1 s times as many as it says. The stream is full, or the server is published to faster than it can store: publish with acknowledgements (docs/publishing.md)',
  weir_control_leading: 'The sum over all controls is 1; 0 for more than 30 s: nobody balances',
  weir_control_pod_view_age_seconds: 'Over 60: the API server does not answer control',
  weir_control_certificate_expiry_timestamp_seconds:
    'Less than 30 days away: it is not renewed; look at the Secret and the problems of `trust`',
  weir_control_pods: '`silent` for more than some seconds: shards that run and do not reach NATS',
};

export const INVARIANTS = `## Invariants

What holds at every moment; where it does not, it is a fault of ours.

- \`weir_shard_state_offered_total\` = \`weir_shard_state_sent_total\` + \`weir_shard_state_withheld_total\`
- \`weir_shard_cosmetic_offered_total\` = \`weir_shard_cosmetic_sent_total\` + \`weir_shard_cosmetic_dropped_total\`
- Every end has one cause, in a shard: \`weir_shard_admissions_total{outcome="admitted"}\` = \`weir_shard_connections\` + \`weir_shard_endings_total\`, and \`weir_shard_closes_total\` = \`weir_shard_connections_by_state{state="closing"}\` + \`weir_shard_endings_total\`
- Every end has one cause, in a router: \`weir_router_upgrades_total\` = \`weir_router_open_clients\` + \`weir_router_connects_total\`, and \`weir_router_connects_total\` = \`weir_router_closing_clients\` + \`weir_router_endings_total\`
- Each client that the router upgraded is once in \`weir_router_connects_total\`; a refusal that is said by a close is in \`weir_router_refusals_total\` too
- \`weir_shard_pongs_total\` ≤ \`weir_shard_pings_total\`
- \`weir_shard_delivered_bytes_total\` ≤ \`weir_shard_written_bytes_total\`
- \`weir_shard_hand_overs_outstanding\` ≤ \`weir_shard_threads\`
- The states of \`weir_shard_connections_by_state\` add up to \`weir_shard_connections\` of the last sweep (four a second)
- Each message of an answered request is once in \`weir_publisher_messages_total\` or \`weir_publisher_invalid_messages_total\`
`;

// The numbers of a running shard that a scrape reads, by the name of their series. Types only of who has them.
import type { ShardReadings } from '../metrics.ts';
import type { Shard } from '../shard.ts';

/** All gauges and counters that live in the stages as plain numbers. */
export function readings(shard: Shard): ShardReadings {
  const { fanOut, encoder, deflater, intake } = shard;
  const { counts } = fanOut;
  return {
    gauges: {
      connections: { help: 'Open connections', read: () => fanOut.size },
      groups: { help: 'Sets of channels that connections share', read: () => fanOut.groups },
      connections_behind: { help: 'Connections that catch up', read: () => fanOut.behind },
      handshakes_pending: { help: 'Handshakes under way', read: () => shard.pending },
      used_tickets: { help: 'Tickets that are remembered as used', read: () => shard.usedTickets },
      backlog_bytes: {
        help: 'Bytes written and not yet proven to have arrived, all connections',
        read: () => [...fanOut.connections()].reduce((sum, connection) => sum + connection.backlogBytes, 0),
      },
      stale: {
        help: '1 while what is served may be behind what was published',
        read: () => (intake.stale ? 1 : 0),
      },
      ready: { help: '1 while new clients are welcome', read: () => (shard.health().ready ? 1 : 0) },
      state_channels: { help: 'Channels with state', read: () => shard.lanes.state.channels },
      state_keys: { help: 'State keys and remembered deletions', read: () => shard.lanes.state.keys },
      state_bytes: { help: 'Bytes of the state lane', read: () => shard.lanes.state.bytes },
      critical_messages: {
        help: 'Critical messages that are kept',
        read: () => shard.lanes.critical.messages,
      },
      critical_bytes: { help: 'Bytes of the critical lane', read: () => shard.lanes.critical.bytes },
    },
    counters: {
      state_offered_total: {
        help: 'State frames offered to connections = sent + withheld',
        read: () => counts.stateOffered,
      },
      state_sent_total: { help: 'State frames sent with a tick', read: () => counts.stateSent },
      state_withheld_total: {
        help: 'State frames withheld; they come conflated later',
        read: () => counts.stateWithheld,
      },
      cosmetic_offered_total: {
        help: 'Cosmetic frames offered = sent + dropped',
        read: () => counts.cosmeticOffered,
      },
      cosmetic_sent_total: { help: 'Cosmetic frames sent', read: () => counts.cosmeticSent },
      cosmetic_dropped_total: {
        help: 'Cosmetic frames dropped for connections that are behind',
        read: () => counts.cosmeticDropped,
      },
      critical_sent_total: {
        help: 'Runs of critical frames sent as they came',
        read: () => counts.criticalSent,
      },
      writes_total: { help: 'Writes to sockets', read: () => counts.writes },
      written_bytes_total: { help: 'Bytes written to sockets', read: () => counts.bytes },
      pings_total: { help: 'Pings sent', read: () => counts.pings },
      pongs_total: { help: 'Pongs that proved delivery', read: () => counts.pongs },
      pongs_foreign_total: { help: 'Pongs that answer none of our pings', read: () => counts.pongsForeign },
      catch_ups_total: {
        help: 'Times that a connection was given what it missed',
        read: () => counts.catchUpPieces,
      },
      congestions_total: { help: 'Times that a connection became congested', read: () => counts.congested },
      recoveries_total: { help: 'Times that a connection became live', read: () => counts.recovered },
      frames_encoded_total: { help: 'Frames built', read: () => encoder.counts.frames },
      encoded_bytes_total: { help: 'Bytes of frames built', read: () => encoder.counts.bytes },
      compressed_in_bytes_total: {
        help: 'Bytes of frames before they were compressed, once for all who share them',
        read: () => deflater.counts.inBytes,
      },
      compressed_out_bytes_total: {
        help: 'Bytes of the same frames compressed',
        read: () => deflater.counts.outBytes,
      },
      state_keys_encoded_total: {
        help: 'State values in frames of ticks',
        read: () => encoder.counts.stateKeys,
      },
    },
  };
}

// The public surface of the wire contract.

export { isBaseUrl, parseBaseUrl } from './base-url.ts';
export type { CleanupMark } from './cleanup-mark.ts';
export { decodeCleanupMark, encodeCleanupMark } from './cleanup-mark.ts';
export type { AfterClose, CloseCode, CloseName } from './close-codes.ts';
export { afterClose, closeCodes } from './close-codes.ts';
export type { Finding } from './finding.ts';
export { PAD_FRAME_BYTES, padding, pingFrame, textFrame, utf8Frame } from './frame.ts';
export { escapeKey, unescapeKey } from './key-text.ts';
export type { Lane } from './lanes.ts';
export { isLane, LANES } from './lanes.ts';
export { limits } from './limits.ts';
export type {
  BeatMessage,
  ClientMessage,
  ClientMessageProblem,
  Confidence,
  ControlMessage,
  CosmeticMessage,
  CriticalMessage,
  ErrorCode,
  ErrorMessage,
  GapMessage,
  MoveMessage,
  MoveReason,
  PositionMessage,
  RedirectMessage,
  ServerMessage,
  StateMessage,
  WelcomeMessage,
} from './messages.ts';
export { controlText, ERROR_CODES, parseClientMessage } from './messages.ts';
export type { MoveHistory } from './move-history.ts';
export type { ChannelListProblem } from './names.ts';
export {
  CHANNEL_RULE,
  channelAllowed,
  isChannel,
  isChannelPattern,
  isToken,
  parseChannels,
} from './names.ts';
export { moveUrl, paths, secured, streamUrl, subprotocol } from './paths.ts';
export type { PayloadBounds, PayloadProblem, PayloadVerdict } from './payload.ts';
export { readPayload, validatePayload } from './payload.ts';
export type { Position } from './position.ts';
export { channelHash, covers, decodePosition, encodePosition } from './position.ts';
export type { StreamDefinition, StreamLimits } from './streams.ts';
export { defaultStreamLimits, streamDefinitions } from './streams.ts';
export type { Address, Subjects } from './subjects.ts';
export { createSubjects, isInbox, isSubjectPrefix } from './subjects.ts';
export type { Hint, Ticket, TicketKey, TicketProblem, TicketVerifier, Verified } from './ticket.ts';
export { issueHint, issueTicket, parseTicketKeys, verifyHint, verifyTicket } from './ticket.ts';

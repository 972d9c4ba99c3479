import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from './transport.ts';

const apiError = (code: number, errCode: number): JetStreamApiError =>
  new JetStreamApiError({ code, err_code: errCode, description: 'in words' });

describe('outcomeOf', () => {
  it('is certain only if the error is', () => {
    expect(outcomeOf(new errors.TimeoutError())).toEqual({ kind: 'unknown' });
    expect(outcomeOf(new errors.RequestError('connection closed'))).toEqual({ kind: 'unknown' });
    expect(outcomeOf(new Error('anything'))).toEqual({ kind: 'unknown' });
    expect(outcomeOf('anything')).toEqual({ kind: 'unknown' });
  });

  it('reports a message as not kept if no stream accepts it', () => {
    const none = new Error('jetstream is not enabled');
    none.name = 'JetStreamNotEnabled';
    expect(outcomeOf(none)).toEqual({ kind: 'unavailable' });
    expect(outcomeOf(new errors.ClosedConnectionError())).toEqual({ kind: 'unavailable' });
  });

  it('distinguishes a temporary failure from a refusal', () => {
    expect(outcomeOf(apiError(503, 10008))).toEqual({ kind: 'unavailable' });
    // A full stream.
    expect(outcomeOf(apiError(503, 10077))).toEqual({ kind: 'refused', message: 'in words' });
    expect(outcomeOf(apiError(400, 10054))).toEqual({ kind: 'refused', message: 'in words' });
    const denied = new errors.PermissionViolationError('no', 'publish', 'weir.state.a.b');
    expect(outcomeOf(new errors.RequestError('no', { cause: denied }))).toMatchObject({ kind: 'refused' });
  });
});

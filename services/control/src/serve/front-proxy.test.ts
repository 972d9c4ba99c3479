import { describe, expect, it } from 'vitest';
import { readFrontProxy, refuse } from './front-proxy.ts';

const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const data = {
  'client-ca-file': 'of other clients, who are not taken',
  'requestheader-client-ca-file': pem,
  'requestheader-allowed-names': '["front-proxy-client"]',
  'requestheader-username-headers': '["X-Remote-User"]',
  'requestheader-group-headers': '["X-Remote-Group"]',
};
const proxy = readFrontProxy({ data });
const shown = {
  authorised: true,
  commonName: 'front-proxy-client',
  headers: { 'x-remote-user': 'system:serviceaccount:kube-system:horizontal-pod-autoscaler' },
};

describe('the front proxy', () => {
  it('is what the ConfigMap says', () => {
    expect(proxy).toEqual({
      authorities: pem,
      names: ['front-proxy-client'],
      userHeaders: ['x-remote-user'],
    });
  });

  it.each([
    {},
    { data: {} },
    { data: { ...data, 'requestheader-client-ca-file': '' } },
    { data: { ...data, 'requestheader-client-ca-file': 'no certificate' } },
    { data: { ...data, 'requestheader-allowed-names': 'front-proxy-client' } },
    { data: { ...data, 'requestheader-allowed-names': '{}' } },
    { data: { ...data, 'requestheader-username-headers': '[1]' } },
    null,
    'x',
  ])('is nobody where that says nothing usable: %j', (configMap) => {
    expect(readFrontProxy(configMap)).toBeUndefined();
  });

  it('may ask, for anybody, also for who has no groups', () => {
    expect(refuse(proxy, shown)).toBeUndefined();
    expect(
      refuse(proxy, { ...shown, headers: { 'x-remote-user': 'system:kube-aggregator' } }),
    ).toBeUndefined();
  });

  it.each([
    ['a client without its certificate and with forged headers', { ...shown, authorised: false }, 401],
    ['another certificate of the same authority', { ...shown, commonName: 'somebody' }, 403],
    ['a certificate without a name', { ...shown, commonName: undefined }, 403],
    ['one that does not say for whom', { ...shown, headers: {} }, 401],
    ['one that asks for nobody', { ...shown, headers: { 'x-remote-user': '' } }, 401],
  ])('is not %s (case H8)', (_, one, status) => {
    expect(refuse(proxy, one)?.status).toBe(status);
  });

  it('is nobody before it is known', () => {
    expect(refuse(undefined, shown)?.status).toBe(401);
  });

  it('may have any name where none is listed', () => {
    const open = readFrontProxy({ data: { ...data, 'requestheader-allowed-names': '[]' } });
    expect(refuse(open, { ...shown, commonName: 'any' })).toBeUndefined();
  });
});

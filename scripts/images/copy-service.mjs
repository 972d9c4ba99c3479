// `node scripts/images/copy-service.mjs SERVICE FOLDER`: what the Dockerfile puts into an image.
import { copyService } from './service-tree.mjs';

const [service, folder] = process.argv.slice(2);
if (service === undefined || folder === undefined) {
  console.error('usage: node scripts/images/copy-service.mjs SERVICE FOLDER');
  process.exit(2);
}
await copyService(service, folder);

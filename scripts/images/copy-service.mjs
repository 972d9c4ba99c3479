// `node scripts/images/copy-service.mjs SERVICE FOLDER`: copies the files of a service for the Dockerfile.
import { copyService } from './service-tree.mjs';

const [service, folder] = process.argv.slice(2);
if (service === undefined || folder === undefined) {
  console.error('usage: node scripts/images/copy-service.mjs SERVICE FOLDER');
  process.exit(2);
}
copyService(service, folder);

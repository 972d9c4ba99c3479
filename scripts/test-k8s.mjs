// `npm run test:k8s`: the whole cluster, installed by Helm, on the Kubernetes that KUBECONFIG names.
import { helms } from './chart/helms.mjs';
import { command, runTool, setUp } from './set-up.mjs';

const NEEDS = `npm run test:k8s needs

  KUBECONFIG        a cluster of Kubernetes 1.30 or later that may be used up: releases are installed and removed. Its
                    nodes and pods must be reached from here, and it must have the images of \`npm run images\`
                    (dist/images/*.tar: ctr -n k8s.io images import, kind load image-archive, …)
  kubectl, helm     on the PATH (helm 3 or 4; helm3 and helm4 where both are to be tried)

and can use

  WEIR_TEST_NODE_SHELL   what runs a command on the node, as \`docker exec kind-control-plane\`: for the tests that kill
                         processes and cut networks there; it needs crictl, nsenter, iptables and ss
  WEIR_TEST_SCALE=full   thousands of clients, and twelve minutes without the API server
  WEIR_TEST_NEXT_TAG     another tag that the cluster has of all images: upgrades go to it
`;

await command(async () => {
  const [helm] = helms();
  if (process.env['KUBECONFIG'] === undefined || helm === undefined) {
    console.error(NEEDS);
    process.exitCode = 2;
    return;
  }
  await setUp();
  const given = process.argv.slice(2);
  const what = given.length === 0 ? ['test/lab/k8s'] : given;
  process.exitCode = await runTool('vitest', ['run', ...what], {
    env: { ...process.env, WEIR_TEST_K8S: 'true' },
  });
});

// `npm run test:k8s`: the whole cluster, installed by Helm, on the Kubernetes that KUBECONFIG names.
import { helms } from './chart/helms.mjs';
import { command, runTool, setUp } from './set-up.mjs';

const NEEDS = `npm run test:k8s needs

  KUBECONFIG        a disposable cluster of Kubernetes 1.30 or later: the tests install and remove releases. This machine
                    must reach its nodes and pods, and it must have the images of \`npm run images\`
                    (dist/images/*.tar: ctr -n k8s.io images import, kind load image-archive, …)
  kubectl, helm     on the PATH (helm 3 or 4; helm3 and helm4 to test both)

and can use

  WEIR_TEST_NODE_SHELL   a command prefix that runs a command on the node, such as \`docker exec kind-control-plane\`, for
                         the tests that kill processes and cut networks there; they need crictl, nsenter, iptables, ss
  WEIR_TEST_NETWORK_POLICIES=true   the cluster enforces NetworkPolicies: test what they let through
  WEIR_TEST_SCALE=full   thousands of clients, and twelve minutes without the API server
  WEIR_TEST_NEXT_TAG     another tag of all images that the cluster has; upgrades use it
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

// examples/lobby in Chromium: the tests of live-page.ts for plain HTML and the script of the SDK. The examples that need an
// installation are in test/lab/packages.
import { LOBBY } from '../../harness/feeds.ts';
import { survives } from '../../harness/live-page.ts';
import { serveLobby } from '../../harness/serve-lobby.ts';

survives('examples/lobby', LOBBY, serveLobby);

// examples/lobby in Chromium, and how soon it is up to date after the Back button.
import { LOBBY } from '../../harness/feeds.ts';
import { returnsAtOnce } from '../../harness/live-page.ts';
import { serveLobby } from '../../harness/serve-lobby.ts';

returnsAtOnce('examples/lobby', LOBBY, serveLobby);

// The site of docs/: its navigation, its search, and what becomes of links that lead out of docs/.
// Every page is also read on GitHub, so nothing in docs/ may need this file.
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { checkBuilt } from './check-built.mjs';
import { repositoryLinks, slugOf } from './links.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DOCS = join(ROOT, 'docs');

/** Where files of the repository can be read: GitHub's workflows say it, a copy on a disk has no address. */
const repository =
  process.env.GITHUB_REPOSITORY === undefined
    ? undefined
    : `${process.env.GITHUB_SERVER_URL}/${process.env.GITHUB_REPOSITORY}`;

/** Water that goes over a weir. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M1 5h6c3 0 2 7 8 7" fill="none" stroke="#3451b2" stroke-width="2.5"/></svg>';

const page = (text, name) => ({ text, link: `/${name}` });

/** A page by its own title, its file seen from docs/. */
const titled = (file) =>
  page(
    /^# (.*)/m.exec(readFileSync(join(DOCS, file), 'utf8'))?.[1] ?? file,
    file.replace(/(index)?\.md$/, ''),
  );

/** All pages of a folder but the one that stands for the folder. */
const pagesOf = (folder) =>
  readdirSync(join(DOCS, folder))
    .filter((file) => file !== 'index.md')
    .sort()
    .map((file) => titled(`${folder}/${file}`));

const sidebar = [
  {
    text: 'Guide',
    items: [
      page('What Weir is', ''),
      page('Five minutes', 'guide'),
      page('Concepts', 'concepts'),
      page('Publishing', 'publishing'),
      { ...page('Migrating', 'migrate/'), collapsed: true, items: pagesOf('migrate') },
    ],
  },
  {
    text: 'Clients',
    items: [
      page('The SDK', 'clients'),
      page('React', 'react'),
      page('Vue', 'vue'),
      page('Svelte', 'svelte'),
      page('Node', 'node'),
      page('React Native', 'react-native'),
      page('Raw WebSocket', 'raw-websocket'),
      page('API reference', 'api/'),
    ],
  },
  {
    text: 'Running it',
    items: [
      page('Operations', 'operations'),
      page('One host', 'one-host'),
      page('Kubernetes', 'kubernetes'),
      page('The console', 'console'),
      page('Runbook', 'runbook'),
      page('Tuning', 'tuning'),
      page('Security', 'security'),
      page('Load tests', 'load'),
      page('Slow clients', 'slow-clients'),
      page('Lost state', 'lost-state'),
    ],
  },
  {
    text: 'Reference',
    items: [
      page('Settings', 'config'),
      page('Metrics', 'metrics'),
      page('Protocol', 'protocol'),
      page('The probe', 'probe'),
      page('Packages in the images', 'images'),
    ],
  },
  {
    text: 'The project',
    items: [
      page('Architecture', 'architecture'),
      page('Reliability', 'reliability'),
      page('Benchmarks', 'benchmarks'),
      page('Testing', 'testing'),
      page('Releasing', 'releasing'),
      { ...page('Decisions', 'decisions/'), collapsed: true, items: pagesOf('decisions') },
    ],
  },
];

/** Pages that stand above nowhere: every page can be reached. */
const named = new Set(JSON.stringify(sidebar).match(/(?<="link":"\/)[^"]*/g));
const others = readdirSync(DOCS, { recursive: true })
  .filter((file) => file.endsWith('.md') && !file.startsWith('api/'))
  .map(titled)
  .filter(({ link }) => !named.has(link.slice(1)));
if (others.length > 0) sidebar.push({ text: 'More', items: others });

/** Pages of docs/ import Vue when they are rendered, and docs/ has no node_modules: Node finds it from the output. */
const vueFromHere = {
  name: 'vue-from-here',
  enforce: 'pre',
  resolveId: (id, _importer, { ssr }) =>
    ssr && /^vue(\/server-renderer)?$/.test(id) ? { id, external: true } : undefined,
};

// VitePress reads the default export.
export default defineConfig({
  srcDir: '../docs',
  outDir: 'dist',
  cacheDir: '../.cache/vitepress',
  base: process.env.WEIR_SITE_BASE ?? '/',
  lang: 'en',
  title: 'Weir',
  description: 'A WebSocket broadcast cluster with network-quality routing',
  cleanUrls: true,
  // In the page itself: a browser would ask for a file otherwise, and complain that there is none.
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  markdown: {
    // The anchors of GitHub, since links in docs/ must work there too.
    anchor: { slugify: slugOf },
    toc: { slugify: slugOf },
    languageAlias: { conf: 'nginx' },
    config: (md) => md.use(repositoryLinks, { root: ROOT, docs: DOCS, repository }),
  },
  vite: { plugins: [vueFromHere] },
  themeConfig: {
    nav: [
      page('Guide', 'guide'),
      page('SDK', 'clients'),
      page('Running it', 'operations'),
      page('Reference', 'config'),
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    ...(repository === undefined ? {} : { socialLinks: [{ icon: 'github', link: repository }] }),
    footer: { message: 'Weir is licensed under Apache-2.0.' },
  },
  buildEnd({ outDir, site }) {
    for (const file of readdirSync(DOCS).filter((name) => name.endsWith('.yaml')))
      copyFileSync(join(DOCS, file), join(outDir, file));
    checkBuilt(outDir, site.base);
  },
});

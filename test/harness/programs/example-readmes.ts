// The folders of examples/, and what their READMEs tell a person to type and to expect.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { blocksOf } from './documents.ts';

export const PAGES = ['odds-board', 'scores', 'lobby'] as const;
/** Each with the program that it needs. */
export const PUBLISHERS = { python: 'python3', go: 'go', java: 'java' } as const;

export function readExample(file: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url)), 'utf8');
}

/** The commands (`sh`) or the printed lines (`text`) of a README, in order. */
export function printedIn(example: string, language: 'sh' | 'text'): readonly string[] {
  const blocks = blocksOf(example, readExample(`${example}/README.md`));
  return blocks.filter((block) => block.language === language).map(({ body }) => body.trim());
}

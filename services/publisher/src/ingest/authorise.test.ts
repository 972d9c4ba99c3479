import { describe, expect, it } from 'vitest';
import { createAuthorise } from './authorise.ts';

const first = 'first-key-of-16-chars';
const second = 'second-key-of-16-chars';

describe('createAuthorise', () => {
  it('lets every caller publish if there are no keys', () => {
    expect(createAuthorise([])({})).toEqual({ key: undefined });
  });

  it('accepts every key, by either header, and returns its index', () => {
    const authorise = createAuthorise([first, second]);
    expect(authorise({ authorization: `Bearer ${first}` })).toEqual({ key: 0 });
    expect(authorise({ authorization: `bearer  ${second}` })).toEqual({ key: 1 });
    expect(authorise({ 'x-api-key': second })).toEqual({ key: 1 });
    expect(authorise({ authorization: `Bearer ${first}`, 'x-api-key': first })).toEqual({ key: 0 });
  });

  it.each([
    {},
    { authorization: 'Bearer ' },
    { authorization: first },
    { authorization: `Basic ${first}` },
    { authorization: `Bearer ${first}x` },
    { authorization: `Bearer ${first.slice(0, -1)}` },
    { 'x-api-key': '' },
    { 'x-api-key': first.toUpperCase() },
    { 'x-api-key': `${first}, ${first}` },
    { authorization: `Bearer ${first}`, 'x-api-key': second },
  ])('refuses %j', (headers) => {
    expect(createAuthorise([first, second])(headers)).toBeUndefined();
  });
});

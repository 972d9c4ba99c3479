import { Goals } from './goals.tsx';
import { useChannel, useKey, useStatus } from './market.ts';

/** Renders when the odds of this match change, and at no other time. */
function Match({ id }: { id: string }) {
  const odds = useKey('odds', id);
  if (odds === undefined) return null;
  return (
    <tr data-key={id}>
      <th scope="row">{id}</th>
      <td>{odds.score}</td>
      {[odds.home, odds.draw, odds.away].map((price, column) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: three columns that never change places
        <td key={column}>{price.toFixed(2)}</td>
      ))}
    </tr>
  );
}

export function Board() {
  const ids = [...useChannel('odds').keys()].sort();
  return (
    <main>
      <h1>
        Odds <output>{useStatus()}</output>
      </h1>
      <table>
        <thead>
          <tr>
            {['Match', 'Score', '1', 'X', '2'].map((title) => (
              <th key={title}>{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ids.map((id) => (
            <Match key={id} id={id} />
          ))}
        </tbody>
      </table>
      <Goals />
    </main>
  );
}

// What an expression of Prometheus reads: its series, their matchers, and the labels that it groups by.
import { parser } from '@prometheus-io/lezer-promql';

export interface Selector {
  readonly name: string;
  readonly matchers: readonly { readonly label: string; readonly regex: boolean; readonly value: string }[];
}

export interface Expression {
  readonly selectors: readonly Selector[];
  /** Labels of `by (…)`. */
  readonly groupedBy: readonly string[];
  /** Where the parser found no expression. */
  readonly faults: readonly string[];
}

/** Parses an expression; `$__rate_interval`, which Grafana fills in, stands for a time. */
export function parseExpression(text: string): Expression {
  const expr = text.replaceAll('$__rate_interval', '5m');
  const selectors: Selector[] = [];
  const groupedBy: string[] = [];
  const faults: string[] = [];
  parser.parse(expr).iterate({
    enter({ name, node, type, from, to }) {
      const own = (of: typeof node | null): string => (of === null ? '' : expr.slice(of.from, of.to));
      if (type.isError) faults.push(`${expr.slice(0, from)}⚠${expr.slice(from)}`);
      if (name === 'LabelName' && node.parent?.name === 'GroupingLabels')
        groupedBy.push(expr.slice(from, to));
      if (name !== 'VectorSelector') return;
      const matchers = node
        .getChild('LabelMatchers')
        ?.getChildren('UnquotedLabelMatcher')
        .map((matcher) => ({
          label: own(matcher.getChild('LabelName')),
          regex: /~/.test(own(matcher.getChild('MatchOp'))),
          value: own(matcher.getChild('StringLiteral')).slice(1, -1),
        }));
      selectors.push({ name: own(node.getChild('Identifier')), matchers: matchers ?? [] });
    },
  });
  return { selectors, groupedBy, faults };
}

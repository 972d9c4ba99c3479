// Dashboards for Grafana 10 or later, from short descriptions of their panels. Pure.
const WIDTH = 24;
const SOURCE = { type: 'prometheus', uid: '$datasource' };

/** Lines over time; `queries` are pairs of expression and legend. */
export const lines = (title, unit, queries, more = {}) => ({
  type: 'timeseries',
  title,
  queries,
  unit,
  options: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  custom: {
    lineWidth: 1,
    fillOpacity: more.stacked ? 25 : 8,
    showPoints: 'never',
    stacking: { group: 'A', mode: more.stacked ? 'normal' : 'none' },
  },
  ...more,
});

/** One number for each series, which turns red from `redFrom` up, or below `redBelow`. */
export const number = (title, unit, queries, more = {}) => ({
  type: 'stat',
  title,
  queries,
  unit,
  width: 4,
  height: 4,
  options: {
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    colorMode: 'background',
    graphMode: 'none',
    textMode: 'auto',
  },
  ...more,
});

/** The distribution of a histogram over time. */
export const heatmap = (title, unit, expr, more = {}) => ({
  type: 'heatmap',
  title,
  queries: [[expr, '{{le}}']],
  format: 'heatmap',
  unit,
  options: {
    calculate: false,
    color: { mode: 'scheme', scheme: 'Oranges', steps: 64, scale: 'exponential', exponent: 0.5 },
    yAxis: { unit, axisPlacement: 'left' },
    rowsFrame: { layout: 'le' },
    cellGap: 1,
    legend: { show: true },
    tooltip: { mode: 'single', yHistogram: false },
    filterValues: { le: 1e-9 },
  },
  ...more,
});

/** The labels of what the expression finds now, one series a row. */
export const table = (title, expr, more = {}) => ({
  type: 'table',
  title,
  queries: [[expr, '']],
  format: 'table',
  instant: true,
  options: { showHeader: true },
  transformations: [{ id: 'organize', options: { excludeByName: { Time: true, Value: true } } }],
  ...more,
});

/** A variable whose values are those of a label. */
export const labelVariable = (name, query, { multi }) => ({
  name,
  type: 'query',
  datasource: SOURCE,
  definition: query,
  query: { query, refId: 'StandardVariableQuery' },
  refresh: 2,
  sort: 1,
  multi,
  includeAll: multi,
  ...(multi ? { allValue: '.*', current: { selected: true, text: ['All'], value: ['$__all'] } } : {}),
});

/** A dashboard of sections: a title and its panels, which fill rows from the left. */
export function dashboard({ uid, title, description, variables, sections }) {
  const panels = [];
  let y = 0;
  const add = (panel) => panels.push({ id: panels.length + 1, ...panel });
  for (const [heading, ...described] of sections) {
    add({ type: 'row', title: heading, collapsed: false, panels: [], gridPos: { x: 0, y, w: WIDTH, h: 1 } });
    y += 1;
    let x = 0;
    let rowHeight = 0;
    for (const { width: w = 8, height: h = 8, ...panel } of described) {
      if (x + w > WIDTH) {
        x = 0;
        y += rowHeight;
        rowHeight = 0;
      }
      add(panelOf(panel, { x, y, w, h }));
      x += w;
      rowHeight = Math.max(rowHeight, h);
    }
    y += rowHeight;
  }
  return {
    uid,
    title,
    description,
    tags: ['weir'],
    schemaVersion: 38,
    version: 1,
    editable: true,
    graphTooltip: 1,
    time: { from: 'now-1h', to: 'now' },
    refresh: '10s',
    templating: {
      list: [
        { name: 'datasource', label: 'data source', type: 'datasource', query: 'prometheus' },
        ...variables,
      ],
    },
    links: [
      {
        type: 'dashboards',
        title: 'Weir',
        tags: ['weir'],
        asDropdown: false,
        includeVars: true,
        keepTime: true,
      },
    ],
    panels,
  };
}

function panelOf(panel, gridPos) {
  const { type, title, about, queries, format, instant, unit, options, custom, transformations } = panel;
  return {
    type,
    title,
    ...(about === undefined ? {} : { description: about }),
    gridPos,
    datasource: SOURCE,
    fieldConfig: { defaults: defaultsOf(panel, unit, custom), overrides: [] },
    options,
    ...(transformations === undefined ? {} : { transformations }),
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: SOURCE,
      expr,
      ...(legendFormat === '' ? {} : { legendFormat }),
      ...(format === undefined ? {} : { format }),
      ...(instant ? { instant: true, range: false } : {}),
    })),
  };
}

function defaultsOf({ redFrom, redBelow, link, max }, unit, custom = {}) {
  const steps =
    redBelow === undefined
      ? [
          { color: 'green', value: null },
          ...(redFrom === undefined ? [] : [{ color: 'red', value: redFrom }]),
        ]
      : [
          { color: 'red', value: null },
          { color: 'green', value: redBelow },
        ];
  return {
    ...(unit === undefined ? {} : { unit }),
    min: 0,
    ...(max === undefined ? {} : { max }),
    thresholds: { mode: 'absolute', steps },
    ...(link === undefined ? {} : { links: [link] }),
    custom,
  };
}

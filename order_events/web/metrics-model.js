/** Reads Prometheus' text format, and works out what an operator wants to know. Knows no page. */

/** The samples of an exposition: `{name, labels, value}`. */
export function samplesOf(text) {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line))
    .filter(Boolean)
    .map(([, name, labels, value]) => ({ name, labels: labelsOf(labels ?? ""), value: numberOf(value) }));
}

function labelsOf(text) {
  const pairs = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value.replace(/\\(.)/g, "$1")]));
}

function numberOf(text) {
  return text === "+Inf" ? Infinity : Number(text);
}

/** The sum of the samples with a name whose labels fit; null if there are none.
 *  @param {{name: string, labels: Record<string, string>, value: number}[]} samples
 *  @param {string} name
 *  @param {(labels: Record<string, string>) => boolean} [fits] */
export function sum(samples, name, fits = () => true) {
  const found = samples.filter((one) => one.name === name && fits(one.labels));
  return found.length === 0 ? null : found.reduce((total, { value }) => total + value, 0);
}

/** How much a counter has grown from `before` to `now`. One that began anew counts from zero.
 *  @param {(labels: Record<string, string>) => boolean} [fits] */
export function growth(before, now, name, fits) {
  const after = sum(now, name, fits);
  if (after === null) return null;
  const was = sum(before, name, fits) ?? 0;
  return after < was ? after : after - was;
}

/** The value below which a share of what a histogram counted from `before` to `now` lies, in its
 *  unit, by linear interpolation in its bucket; null if it counted nothing. */
export function quantile(before, now, name, share) {
  const bounds = [...new Set(now.filter((one) => one.name === `${name}_bucket`).map(({ labels }) => labels.le))];
  const buckets = bounds
    .map((le) => ({
      bound: numberOf(le),
      count: growth(before, now, `${name}_bucket`, (labels) => labels.le === le),
    }))
    .sort((a, b) => a.bound - b.bound);
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return null;
  const wanted = share * total;
  const at = buckets.findIndex(({ count }) => count >= wanted);
  const lower = at === 0 ? { bound: 0, count: 0 } : buckets[at - 1];
  const { bound, count } = buckets[at];
  if (bound === Infinity) return lower.bound;
  return lower.bound + ((wanted - lower.count) / (count - lower.count)) * (bound - lower.bound);
}

/** How much each value of a label has grown, the most first: `[label, growth]`. */
export function growthBy(before, now, name, label) {
  const values = [...new Set(now.filter((one) => one.name === name).map(({ labels }) => labels[label]))];
  return values
    .map((value) => [value, growth(before, now, name, (labels) => labels[label] === value)])
    .filter(([, grown]) => grown > 0)
    .sort((a, b) => b[1] - a[1]);
}

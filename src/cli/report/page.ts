import type { CaseMetrics } from '../../unet/metrics.js';
import { divergence, lowerRate } from '../divergence.js';
import { count, plural } from '../plural.js';
import { duration } from '../progress.js';
import type { EpochRecord, RunConfig, RunSummary, StepRecord } from '../records.js';
import { chartsOf, drawCharts } from './charts.js';
import { factsOf } from './facts.js';
import { Html, html, pngUri, scriptJson } from './html.js';
import { STYLE } from './style.js';

/** Everything a report shows. */
export interface ReportInput {
  /** The run's name. */
  readonly title: string;
  readonly config: RunConfig;
  readonly epochs: readonly EpochRecord[];
  readonly steps: readonly StepRecord[];
  /** Null where the run was not evaluated yet. */
  readonly summary: RunSummary | null;
  readonly samples: readonly { readonly caption: string; readonly png: Uint8Array }[];
  /** The evaluation's picture. */
  readonly evaluation: Uint8Array | null;
  readonly library: { readonly script: string; readonly style: string };
}

/** The report as one HTML page that needs no other file and no network. */
export function reportPage(input: ReportInput): string {
  const { title, config, epochs, steps, summary, library } = input;
  const charts = chartsOf(epochs, steps);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} — shadergrad report</title>
<link rel="icon" href="data:,">
<style>${new Html(library.style)}${new Html(STYLE)}</style>
</head>
<body>
<main>
<header>
<h1>${title}</h1>
<p class="lead">${lead(config, epochs)}</p>
</header>
${tiles(input)}
${notes(input)}
<section aria-labelledby="curves"><h2 id="curves">Training</h2>
${
  charts.length === 0
    ? html`<p class="muted">No epoch is complete yet.</p>`
    : html`<div class="charts">${charts.map(
        (chart, i) =>
          html`<div class="card"><h3>${chart.title}</h3><div class="chart" id="chart-${i}" role="img" aria-label="${chart.title} over each ${chart.xLabel}"></div></div>`,
      )}</div><p class="muted">Drag to zoom, double-click to go back. The dashed line is the best epoch: by mean Dice, then by lower validation loss.</p>
${epochTable(epochs)}`
}
</section>
${summary === null ? new Html('') : patients(summary)}
${pictures(input)}
<section aria-labelledby="facts"><h2 id="facts">What shaped this run</h2>
<div class="facts">${factsOf(config).map(
    (group) =>
      html`<div class="card"><h3>${group.title}</h3><dl>${group.rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></div>`,
  )}</div></section>
<footer>${reading(summary)}<p>Made by shadergrad ${config.environment.shadergrad}. For research; not for diagnosis.</p></footer>
</main>
<script id="charts" type="application/json">${scriptJson(charts)}</script>
<script>${new Html(library.script)}</script>
<script>
var __name = function (f) { return f; };
(${new Html(drawCharts.toString())})(JSON.parse(document.getElementById('charts').textContent), uPlot);
</script>
</body>
</html>
`;
  return page.text;
}

function lead({ preset, environment, started, training }: RunConfig, epochs: readonly EpochRecord[]): string {
  const done = epochs.at(-1)?.epoch ?? 0;
  const seconds = epochs.reduce((sum, each) => sum + each.seconds, 0);
  return [
    `Preset ${preset}`,
    `${done} of ${plural(training.epochs, 'epoch')}${seconds > 0 ? ` in ${duration(seconds)}` : ''}`,
    environment.adapter.name + (environment.adapter.software ? ' (software)' : ''),
    started.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'),
  ].join(' · ');
}

function tiles({ epochs, summary }: ReportInput): Html {
  const tile = (value: string, name: string) =>
    html`<div class="card tile"><b>${value}</b><span>${name}</span></div>`;
  if (summary === null) {
    const best = epochs.findLast((each) => each.best);
    if (best === undefined) return new Html('');
    return html`<div class="tiles">${[
      tile(figure(best.quality.meanDice), `mean Dice, best epoch (${best.epoch})`),
      tile(figure(best.quality.medianDice), 'median Dice'),
      tile(figure(best.quality.lesionSliceDice), 'Dice on lesion slices'),
    ]}</div>`;
  }
  const { plain, largest, lesionFreeSlices, patients: number } = summary.metrics;
  return html`<div class="tiles">${[
    tile(
      figure(plain.dice.mean),
      `mean Dice of ${plain.dice.count === number ? '' : `${plain.dice.count} of `}${plural(number, 'patient')}`,
    ),
    tile(figure(plain.dice.median), 'median Dice'),
    tile(figure(largest.dice.mean), 'mean Dice, largest component only'),
    tile(
      figure(plain.lesionSliceDice.mean),
      `mean Dice of ${plural(plain.lesionSliceDice.count, 'lesion slice')}`,
    ),
    tile(figure(plain.pooled.dice), 'pooled Dice'),
    tile(`${plain.falsePositiveSlices} / ${lesionFreeSlices}`, 'lesion-free slices with a false positive'),
  ]}</div>`;
}

/** What keeps a reader from taking the figures for more than they are. */
function notes(input: ReportInput): Html {
  const { config, epochs, summary } = input;
  const list: string[] = [];
  const done = epochs.at(-1)?.epoch ?? 0;
  if (done < config.training.epochs) {
    list.push(
      `The run is not complete: ${done} of ${plural(config.training.epochs, 'epoch')} ${done === 1 ? 'is' : 'are'} done.`,
    );
  }
  const diverged = firstDivergence(input);
  if (diverged !== null) list.push(diverged);
  if (summary !== null) {
    const from = summary.epoch === null ? '' : ` (epoch ${summary.epoch})`;
    list.push(
      `The figures are of the checkpoint "${summary.checkpoint}"${from} at threshold ${summary.metrics.threshold}, on the ${SIDES[summary.patients]}.`,
    );
    if (summary.patients !== 'valid') list.push('These include patients the model was trained on.');
    list.push(...new Set([...summary.notes, ...summary.metrics.notes]));
  }
  return html`<ul class="notes">${list.map((each) => html`<li>${each}</li>`)}</ul>`;
}

function firstDivergence({ config: { training }, epochs }: ReportInput): string | null {
  const losses = epochs.map(({ epoch, train }) => ({ epoch, loss: train.loss }));
  for (const end of losses.keys()) {
    const found = divergence(losses.slice(0, end + 1), training.diceWeight);
    if (found === null) continue;
    const { lr } = training;
    return `Warning: ${found}; start a new run with a learning rate below ${lr}, such as --lr ${lowerRate(lr)}.`;
  }
  return null;
}

const SIDES = {
  valid: 'validation patients',
  train: 'training patients',
  all: 'training and validation patients',
} as const;

function patients({ metrics }: RunSummary): Html {
  const { plain, cases, largest } = metrics;
  const sorted = [...cases].sort((a, b) => (b.plain.dice ?? -1) - (a.plain.dice ?? -1));
  const at = (value: number | null) => `${100 * (value ?? 0)}%`;
  const bar = ({ patient, plain: { dice } }: CaseMetrics) =>
    html`<div role="listitem"><span class="name" title="${patient}">${patient}</span><span class="track"><span class="fill" style="width:${at(dice)}"></span></span><span class="value">${figure(dice)}</span></div>`;
  return html`<section aria-labelledby="patients"><h2 id="patients">Dice per patient</h2>
<div class="card">
<p class="key"><span><i></i>mean ${figure(plain.dice.mean)}</span><span class="median"><i></i>median ${figure(plain.dice.median)}</span></p>
<div class="bars" role="list" style="--mean:${at(plain.dice.mean)};--median:${at(plain.dice.median)}">${sorted.map(bar)}</div>
</div>
<details><summary>All figures of every patient</summary>
<div class="card scroll" tabindex="0" role="region" aria-label="Figures of every patient"><table>
<thead><tr><th scope="col">patient</th><th scope="col">Dice</th><th scope="col">Dice, largest</th><th scope="col">IoU</th><th scope="col">Dice, lesion slices</th><th scope="col">slices</th><th scope="col">with lesion</th><th scope="col">true pos.</th><th scope="col">false pos.</th><th scope="col">false neg.</th><th scope="col">false-pos. slices</th><th scope="col">their pixels</th></tr></thead>
<tbody>${sorted.map(
    (each) =>
      html`<tr><td>${each.patient}</td><td>${figure(each.plain.dice)}</td><td>${figure(each.largest.dice)}</td><td>${figure(each.plain.iou)}</td><td>${figure(each.plain.lesionSliceDice)}</td><td>${each.slices}</td><td>${each.lesionSlices}</td><td>${count(each.plain.truePositive)}</td><td>${count(each.plain.falsePositive)}</td><td>${count(each.plain.falseNegative)}</td><td>${each.plain.falsePositiveSlices}</td><td>${count(each.plain.falsePositivePixels)}</td></tr>`,
  )}<tr><td>all as one volume</td><td>${figure(plain.pooled.dice)}</td><td>${figure(largest.pooled.dice)}</td><td>${figure(plain.pooled.iou)}</td><td>${figure(plain.lesionSliceDice.mean)}</td><td>${metrics.slices}</td><td>${metrics.lesionSlices}</td><td>${count(plain.pooled.truePositive)}</td><td>${count(plain.pooled.falsePositive)}</td><td>${count(plain.pooled.falseNegative)}</td><td>${plain.falsePositiveSlices}</td><td>${count(plain.falsePositivePixels)}</td></tr></tbody>
</table></div></details></section>`;
}

function epochTable(epochs: readonly EpochRecord[]): Html {
  if (epochs.length === 0) return new Html('');
  const six = (value: number) => value.toFixed(6);
  return html`<details><summary>Figures of every epoch</summary>
<div class="card scroll" tabindex="0" role="region" aria-label="Figures of every epoch"><table>
<thead><tr><th scope="col">epoch</th><th scope="col">train loss</th><th scope="col">bce</th><th scope="col">dice</th><th scope="col">valid loss</th><th scope="col">bce</th><th scope="col">dice</th><th scope="col">mean Dice</th><th scope="col">median Dice</th><th scope="col">lesion slices</th><th scope="col">false-pos. slices</th><th scope="col">time</th><th scope="col">images/s</th></tr></thead>
<tbody>${epochs.map(
    ({ epoch, train, valid, quality, seconds, imagesPerSecond, best }) =>
      html`<tr><td>${epoch}${best ? ' *' : ''}</td><td>${six(train.loss)}</td><td>${six(train.bce)}</td><td>${six(train.dice)}</td><td>${six(valid.loss)}</td><td>${six(valid.bce)}</td><td>${six(valid.dice)}</td><td>${figure(quality.meanDice)}</td><td>${figure(quality.medianDice)}</td><td>${figure(quality.lesionSliceDice)}</td><td>${quality.falsePositiveSlices}</td><td>${duration(seconds)}</td><td>${Number(imagesPerSecond.toPrecision(3))}</td></tr>`,
  )}</tbody></table><p class="muted">* best so far, by mean Dice, then by lower validation loss</p></div></details>`;
}

function pictures({ samples, evaluation }: ReportInput): Html {
  if (samples.length === 0 && evaluation === null) return new Html('');
  return html`<section aria-labelledby="samples"><h2 id="samples">Sample masks</h2>
<p class="key"><span><i class="red"></i>prediction</span><span><i class="green"></i>truth</span><span>dashed in both colors where they are the same; on FLAIR</span></p>
<div class="samples">${samples.map(
    ({ caption, png }) =>
      html`<figure><img src="${pngUri(png)}" alt="Scan with outlines of prediction and truth: ${caption}"><figcaption>${caption}</figcaption></figure>`,
  )}</div>
${
  evaluation === null
    ? new Html('')
    : html`<figure class="wide" tabindex="0"><img src="${pngUri(evaluation)}" alt="Scans, truths and predicted probabilities of slices drawn by lesion size, with the losses of each"><figcaption>Scan, truth and predicted probability; slices drawn by lesion size.</figcaption></figure>`
}</section>`;
}

function reading(summary: RunSummary | null): Html {
  if (summary === null) return new Html('');
  return html`<p>Dice of a patient is 2|P∩T| / (|P|+|T|) over all voxels of the volume. "Largest component" keeps only the largest connected part of the prediction, neighbours sharing a face. Lesion slices are those whose truth holds a lesion; an empty slice or volume never counts as a Dice of 1.</p>`;
}

function figure(value: number | null): string {
  return value === null ? '–' : value.toFixed(3);
}

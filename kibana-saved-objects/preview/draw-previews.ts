/**
 * Program: `node kibana-saved-objects/preview/draw-previews.ts CHROMIUM` draws every dashboard in both languages with Elastic's own
 * chart library, from the answers of a real Elasticsearch that holds the invented office, and writes docs/dashboards/*.png.
 * CHROMIUM is the browser's program. `make dashboards` starts it; its packages are this folder's own.
 */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { testElasticsearch, uniqueNamespace } from '../../tests/support/elasticsearch.ts';
import { officeAlerts } from '../src/office/office-alerts.ts';
import { officeHealth } from '../src/office/office-health.ts';
import { officeMonth } from '../src/office/office-month.ts';
import { filledStream } from '../src/panels/filled-stream.ts';
import { dashboardModels } from './dashboard-model.ts';
import type { DashboardModel } from './preview-model.ts';
import { smallPng } from './small-png.ts';

/** A Friday evening, so that a day and a week look like ones. */
const END = new Date('2026-11-20T18:00:00Z');
/** Width of the dashboard in pixels: a laptop's screen without Kibana's menu. */
const WIDTH = 1440;
const DRAW_TIMEOUT_MS = 60_000;
const PICTURES = new URL('../../docs/dashboards/', import.meta.url);

interface PageFiles {
  readonly script: string;
  readonly style: string;
}

async function bundlePage(): Promise<PageFiles> {
  const built = await build({
    entryPoints: [fileURLToPath(new URL('page/main.tsx', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    outdir: 'page',
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.woff': 'dataurl', '.woff2': 'dataurl' },
    logLevel: 'error',
  });
  const textOf = (end: string): string =>
    built.outputFiles.find(({ path }) => path.endsWith(end))?.text ?? '';
  return { script: textOf('.js'), style: textOf('.css') };
}

async function drawn(page: Page, files: PageFiles, model: DashboardModel): Promise<Buffer> {
  await page.setContent('<!doctype html><body style="margin:0"><div id="root"></div>');
  await page.addStyleTag({ content: files.style });
  await page.addScriptTag({ content: files.script });
  const charts = model.panels.filter(({ kind }) => /^lns(?!Datatable)/.test(kind)).length;
  await page.evaluate(([one, width]) => window.draw(one, width), [model, WIDTH] as const);
  await page.waitForFunction(
    (wanted) =>
      document.querySelectorAll('.echChartStatus[data-ech-render-complete="true"]').length >=
      wanted,
    charts,
    { timeout: DRAW_TIMEOUT_MS },
  );
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  return await page.locator('#root > div').first().screenshot({ type: 'png' });
}

async function picture(browser: Browser, files: PageFiles, model: DashboardModel): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: WIDTH + 32, height: 900 } });
  const broken = new Promise<never>((_, reject) => {
    page.on('pageerror', reject);
  });
  try {
    return await Promise.race([drawn(page, files, model), broken]);
  } catch (error) {
    throw new Error(model.title, { cause: error });
  } finally {
    await page.close();
  }
}

async function main(executablePath: string): Promise<void> {
  const files = await bundlePage();
  const { url } = await testElasticsearch();
  const namespace = uniqueNamespace();
  const starts = officeMonth({ end: END, namespace });
  const stream = await filledStream({ url, namespace }, starts, {
    health: officeHealth({ end: END, namespace }),
    alerts: officeAlerts(starts, END),
  });
  mkdirSync(PICTURES, { recursive: true });
  // Chromium refuses its sandbox to root, which is who runs this in a container.
  const isRoot = process.getuid?.() === 0;
  const browser = await chromium.launch({
    executablePath,
    args: ['--disable-lcd-text', ...(isRoot ? ['--no-sandbox'] : [])],
  });
  try {
    for (const language of ['en', 'ru'] as const) {
      for (const [key, model] of await dashboardModels(language, stream, END)) {
        const file = new URL(`${key}${language === 'en' ? '' : `.${language}`}.png`, PICTURES);
        writeFileSync(file, smallPng(await picture(browser, files, model)));
        const kib = Math.round(statSync(file).size / 1024);
        process.stdout.write(`docs/dashboards/${file.pathname.split('/').at(-1)}: ${kib} KiB\n`);
      }
    }
  } finally {
    await browser.close();
  }
}

const [executablePath] = process.argv.slice(2);
if (executablePath === undefined) {
  process.stderr.write('Usage: node kibana-saved-objects/preview/draw-previews.ts CHROMIUM\n');
  process.exitCode = 2;
} else await main(executablePath);

import { createCanvas, loadImage } from '@napi-rs/canvas';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';

import { launchBrowser } from './browser';
import { EXAMPLES_DIR, exampleNames, importExample, picturedBy, readExample } from './exampleFiles';
import type { N8nApi, StoredCredential } from './n8n/api';
import { Editor, SCREENSHOTS_DIR } from './n8n/editor';
import { startN8n } from './n8n/server';
import { ensureN8n } from './n8n/setup';
import { packPackage } from './package';
import { abortOnSignals } from './signals';

const USAGE = `npm run pictures [-- <name>… | --readme]

Takes the pictures of the examples from n8n's editor, into examples/images.

  <name>     an example, such as point-of-sale; all of them when there is none
  --readme   makes those of the README instead, from the screenshots that 'npm run test:e2e' leaves
  --help`;

/** A part of a screenshot, in pixels. */
interface Part {
	x: number;
	y: number;
	width: number;
	height: number;
}

/** The README's pictures, in docs/images: the screenshots that they are made from, and which part of each is worth seeing. */
const README_PICTURES: Record<string, { screenshot: string; part?: Part }> = {
	'qr-code': { screenshot: '08-qr-code', part: { x: 540, y: 66, width: 935, height: 715 } },
	'payment-form': { screenshot: '22-payment-form' },
	// The same payment: the README shows them side by side.
	'payment-page': { screenshot: '24-payment-page' },
};
const README_IMAGES_DIR = join(EXAMPLES_DIR, '..', 'docs', 'images');

/** Large enough that no example has to be drawn smaller than it is. */
const VIEWPORT = { width: 2000, height: 1300 };
/** The space left free around the nodes, in pixels: their names stand below them. */
const MARGIN = { left: 24, top: 24, right: 24, bottom: 56 };
const QUALITY = 85;
/** n8n's own controls lie over the canvas. */
const ONLY_THE_CANVAS =
	'.vue-flow__panel, [class*="executionButtons"] { display: none !important; }';

interface Box {
	left: number;
	top: number;
	right: number;
	bottom: number;
}

/** What a user who imports the examples has; nothing is sent with these. */
async function createCredentials(api: N8nApi): Promise<StoredCredential[]> {
	return await Promise.all([
		...['acountPayApi', 'acountPayKeyApi'].map(
			async (type) =>
				await api.createCredential('AcountPay', type, {
					environment: 'sandbox',
					clientId: 'example',
					clientSecret: 'example',
				}),
		),
		api.createCredential('Till', 'httpHeaderAuth', { name: 'X-Till-Key', value: 'example' }),
		api.createCredential('Mail', 'smtp', { host: '127.0.0.1', user: 'example' }),
		api.createCredential('Language model', 'openAiApi', { apiKey: 'example' }),
	]);
}

/** What all nodes of the canvas cover, with the notes, and the plus signs where another node can be added. */
const nodesBox = async (page: Page): Promise<Box> =>
	await page
		.locator('.vue-flow__node, [data-test-id="canvas-handle-plus"]')
		.evaluateAll((nodes) => {
			const boxes = nodes.map((node) => node.getBoundingClientRect());
			return {
				left: Math.min(...boxes.map(({ left }) => left)),
				top: Math.min(...boxes.map(({ top }) => top)),
				right: Math.max(...boxes.map(({ right }) => right)),
				bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
			};
		});

/** Waits until the canvas no longer moves. */
async function settled(page: Page): Promise<Box> {
	let before = '';
	for (;;) {
		const box = await nodesBox(page);
		if (JSON.stringify(box) === before) return box;
		before = JSON.stringify(box);
		await sleep(1_000);
	}
}

/** The picture of the workflow that the page shows, as WebP. */
async function takePicture(page: Page, nodeCount: number): Promise<Buffer> {
	await page
		.locator('.vue-flow__node')
		.nth(nodeCount - 1)
		.waitFor();
	await page.addStyleTag({ content: ONLY_THE_CANVAS });
	await settled(page);
	// The editor's key for 'show all'.
	await page.keyboard.press('1');
	const { left, top, right, bottom } = await settled(page);
	const session = await page.context().newCDPSession(page);
	const { data } = await session.send('Page.captureScreenshot', {
		format: 'webp',
		quality: QUALITY,
		clip: {
			x: left - MARGIN.left,
			y: top - MARGIN.top,
			width: right - left + MARGIN.left + MARGIN.right,
			height: bottom - top + MARGIN.top + MARGIN.bottom,
			scale: 1,
		},
	});
	return Buffer.from(data, 'base64');
}

async function takePictures(names: string[], signal: AbortSignal): Promise<void> {
	const folder = join(EXAMPLES_DIR, 'images');
	await mkdir(folder, { recursive: true });
	const packageTarball = await packPackage();
	const n8n = await startN8n({ n8n: await ensureN8n({ signal }), packageTarball, signal });
	const browser = await launchBrowser();
	try {
		const editor = await Editor.open(browser, n8n.api, VIEWPORT);
		const credentials = await createCredentials(n8n.api);
		for (const name of names) {
			signal.throwIfAborted();
			const { id } = await importExample(n8n.api, name, credentials);
			await editor.openWorkflow(id);
			const file = join(folder, `${name}.webp`);
			await writeFile(file, await takePicture(editor.page, readExample(name).nodes.length));
			console.log(`${name}.webp`);
		}
	} finally {
		await browser.close();
		await n8n.stop();
		await rm(dirname(packageTarball), { recursive: true });
	}
}

const sizeOf = ({ width, height }: { width: number; height: number }) => ({ width, height });

/** @throws Error when the end-to-end tests have left no such screenshot */
async function makeReadmePictures(): Promise<void> {
	await mkdir(README_IMAGES_DIR, { recursive: true });
	for (const [name, { screenshot, part }] of Object.entries(README_PICTURES)) {
		const image = await loadImage(join(SCREENSHOTS_DIR, `${screenshot}.png`));
		const { x, y, width, height } = part ?? { x: 0, y: 0, ...sizeOf(image) };
		const canvas = createCanvas(width, height);
		canvas.getContext('2d').drawImage(image, x, y, width, height, 0, 0, width, height);
		await writeFile(join(README_IMAGES_DIR, `${name}.webp`), await canvas.encode('webp', QUALITY));
		console.log(`${name}.webp`);
	}
}

async function main(): Promise<void> {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: {
			readme: { type: 'boolean', default: false },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) {
		console.log(USAGE);
		return;
	}
	if (values.readme) {
		await makeReadmePictures();
		return;
	}
	await takePictures(
		positionals.length ? positionals : exampleNames().filter((name) => picturedBy(name) === name),
		abortOnSignals(),
	);
}

void main();

import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import { Chart, type ChartItem, type Plugin, registerables } from 'chart.js';

import { CONTESTANTS, TITLES } from './contestants';
import { POINT_MS, type DistanceRun } from './distances';
import { medianOf, type Results } from './results';

const WIDTH = 900;
const HEIGHT = 460;
const PIXEL_RATIO = 2;
const FONT = 'Inter';
const FONT_FILE = '@fontsource/inter/files/inter-latin-400-normal.woff2';
/** Smaller runs say more about starting than about speed. */
const SMALLEST_SIZE = 1_000;
const OWN_COLOURS = ['#0b6e4f', '#6bbf9c'];
const OTHER_COLOURS = ['#6b7280', '#c3c7ce'];
const TEXT_COLOUR = '#1f2937';

const background: Plugin = {
	id: 'background',
	beforeDraw({ ctx, width, height }) {
		ctx.fillStyle = '#ffffff';
		ctx.fillRect(0, 0, width, height);
	},
};

/** Writes each bar's value at its end. */
const values: Plugin = {
	id: 'values',
	afterDatasetsDraw(chart) {
		const { ctx, data } = chart;
		ctx.fillStyle = TEXT_COLOUR;
		ctx.font = `13px ${FONT}`;
		ctx.textBaseline = 'middle';
		data.datasets.forEach(({ data: bars }, index) => {
			chart.getDatasetMeta(index).data.forEach(({ x, y }, bar) => {
				const value = Number(bars[bar]);
				ctx.fillText(Number.isNaN(value) ? 'did not finish' : value.toFixed(0), x + 6, y);
			});
		});
	},
};

/**
 * Draws how many payments a second each contestant makes.
 *
 * @returns a WebP image
 */
export async function drawChart(results: Results): Promise<Buffer> {
	GlobalFonts.registerFromPath(require.resolve(FONT_FILE), FONT);
	Chart.register(...registerables);
	Chart.defaults.font.family = FONT;
	Chart.defaults.font.size = 14;
	Chart.defaults.color = TEXT_COLOUR;

	const sizes = results.sizes.filter((size) => size >= SMALLEST_SIZE);
	const canvas = createCanvas(WIDTH, HEIGHT);
	const chart = new Chart(canvas as unknown as ChartItem, {
		type: 'bar',
		data: {
			labels: CONTESTANTS.map((contestant) => TITLES[contestant]),
			datasets: sizes.map((items, index) => ({
				label: `${items.toLocaleString('en-US')} items`,
				data: CONTESTANTS.map(
					(contestant) =>
						medianOf(results, contestant, items, (run) => (run.items * 1000) / run.ms!) ?? NaN,
				),
				backgroundColor: CONTESTANTS.map(
					(contestant) => (contestant === 'acountPay' ? OWN_COLOURS : OTHER_COLOURS)[index % 2],
				),
			})),
		},
		options: {
			animation: false,
			responsive: false,
			devicePixelRatio: PIXEL_RATIO,
			indexAxis: 'y',
			layout: { padding: { top: 8, right: 48, bottom: 8, left: 8 } },
			scales: {
				x: { beginAtZero: true, title: { display: true, text: 'Payments a second' } },
				y: { grid: { display: false } },
			},
			plugins: {
				title: {
					display: true,
					text: `n8n ${results.surroundings.n8n}, ${results.latencyMs} ms latency: more is better`,
				},
			},
		},
		plugins: [background, values],
	});
	const image = await canvas.encode('webp', 90);
	chart.destroy();
	return image;
}

/**
 * Draws how many calls of the AcountPay node are in flight as it finds its speed.
 *
 * @returns a WebP image
 */
export async function drawInFlight(runs: DistanceRun[]): Promise<Buffer> {
	GlobalFonts.registerFromPath(require.resolve(FONT_FILE), FONT);
	Chart.register(...registerables);
	Chart.defaults.font.family = FONT;
	Chart.defaults.font.size = 14;
	Chart.defaults.color = TEXT_COLOUR;

	const drawn = runs.filter(({ inFlight }) => inFlight !== undefined);
	const canvas = createCanvas(WIDTH, HEIGHT);
	const chart = new Chart(canvas as unknown as ChartItem, {
		type: 'line',
		data: {
			datasets: drawn.map(({ items, situation, inFlight = [] }, index) => ({
				label: `${items} payments, ${situation}`,
				data: inFlight.map((y, point) => ({ x: (point * POINT_MS) / 1_000, y })),
				borderColor: [OWN_COLOURS[0], OTHER_COLOURS[0]][index],
				borderWidth: 2,
				pointRadius: 0,
				stepped: true,
			})),
		},
		options: {
			animation: false,
			responsive: false,
			devicePixelRatio: PIXEL_RATIO,
			scales: {
				x: { type: 'linear', beginAtZero: true, title: { display: true, text: 'Seconds' } },
				y: { beginAtZero: true, title: { display: true, text: 'Calls in flight' } },
			},
		},
		plugins: [background],
	});
	const image = await canvas.encode('webp', 90);
	chart.destroy();
	return image;
}

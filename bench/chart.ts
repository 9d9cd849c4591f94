import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import { Chart, type ChartItem } from 'chart.js/auto';

import type { DistanceRun } from './distances';
import { POINT_MS } from './gate';

const WIDTH = 900;
const HEIGHT = 460;
const PIXEL_RATIO = 2;
const FONT = 'Inter';
const FONT_FILE = '@fontsource/inter/files/inter-latin-400-normal.woff2';
const COLOURS = ['#0b6e4f', '#6b7280'];
const TEXT_COLOUR = '#1f2937';

/** Of each situation that is drawn, the run that took the median time. */
function drawnRuns(runs: DistanceRun[]): DistanceRun[] {
	const drawn = runs.filter(({ inFlight }) => inFlight !== undefined);
	return [...new Set(drawn.map(({ situation }) => situation))].map((situation) => {
		const own = drawn.filter((run) => run.situation === situation);
		return own.sort((a, b) => (a.ms ?? Infinity) - (b.ms ?? Infinity))[(own.length - 1) >> 1];
	});
}

/**
 * Draws how many calls of the AcountPay node are in flight as it finds its speed, in the median run.
 *
 * @returns a WebP image
 */
export async function drawInFlight(runs: DistanceRun[]): Promise<Buffer> {
	GlobalFonts.registerFromPath(require.resolve(FONT_FILE), FONT);
	Object.assign(Chart.defaults.font, { family: FONT, size: 14 });
	Chart.defaults.color = TEXT_COLOUR;

	const canvas = createCanvas(WIDTH, HEIGHT);
	const chart = new Chart(canvas as unknown as ChartItem, {
		type: 'line',
		data: {
			datasets: drawnRuns(runs).map(({ items, situation, inFlight = [] }, index) => ({
				label: `${items} payments, ${situation}`,
				data: inFlight.map((y, point) => ({ x: (point * POINT_MS) / 1_000, y })),
				borderColor: COLOURS[index],
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
	});
	const { ctx } = chart;
	ctx.globalCompositeOperation = 'destination-over';
	ctx.fillStyle = '#ffffff';
	ctx.fillRect(0, 0, WIDTH, HEIGHT);
	const image = await canvas.encode('webp', 90);
	chart.destroy();
	return image;
}

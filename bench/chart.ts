import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import { Chart, type ChartItem, type Plugin, registerables } from 'chart.js';

import { type DistanceRun, drawnRuns } from './distances';
import { POINT_MS } from './gate';

const WIDTH = 900;
const HEIGHT = 460;
const PIXEL_RATIO = 2;
const FONT = 'Inter';
const FONT_FILE = '@fontsource/inter/files/inter-latin-400-normal.woff2';
const COLOURS = ['#0b6e4f', '#6b7280'];
const TEXT_COLOUR = '#1f2937';

const background: Plugin = {
	id: 'background',
	beforeDraw({ ctx, width, height }) {
		ctx.fillStyle = '#ffffff';
		ctx.fillRect(0, 0, width, height);
	},
};

/**
 * Draws how many calls of the AcountPay node are in flight as it finds its speed, in the median run.
 *
 * @returns a WebP image
 */
export async function drawInFlight(runs: DistanceRun[]): Promise<Buffer> {
	GlobalFonts.registerFromPath(require.resolve(FONT_FILE), FONT);
	Chart.register(...registerables);
	Chart.defaults.font.family = FONT;
	Chart.defaults.font.size = 14;
	Chart.defaults.color = TEXT_COLOUR;

	const drawn = drawnRuns(runs);
	const canvas = createCanvas(WIDTH, HEIGHT);
	const chart = new Chart(canvas as unknown as ChartItem, {
		type: 'line',
		data: {
			datasets: drawn.map(({ items, situation, inFlight = [] }, index) => ({
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
		plugins: [background],
	});
	const image = await canvas.encode('webp', 90);
	chart.destroy();
	return image;
}

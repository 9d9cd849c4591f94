import { CONTESTANTS, N8N_CONTESTANTS, TITLES, type Contestant } from './contestants';
import {
	medianOf,
	pairedRatio,
	trafficOf,
	type Results,
	type Run,
	type Surroundings,
} from './results';

const NONE = '–';

const number = (value: number, digits = 0) =>
	value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A Markdown table, its first column to the left and the others to the right. */
function table(head: string[], rows: string[][]): string {
	const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
	const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
	return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** One row for each contestant, one column for each size. */
function sizeTable(
	{ sizes }: Results,
	contestants: readonly Contestant[],
	cell: (contestant: Contestant, items: number) => string | undefined,
): string {
	return table(
		['', ...sizes.map((size) => number(size))],
		contestants.map((contestant) => [
			TITLES[contestant],
			...sizes.map((items) => cell(contestant, items) ?? NONE),
		]),
	);
}

const medianTable = (
	results: Results,
	contestants: readonly Contestant[],
	figure: (run: Run) => number,
	digits: number,
) =>
	sizeTable(results, contestants, (contestant, items) => {
		const value = medianOf(results, contestant, items, figure);
		return value === undefined ? undefined : number(value, digits);
	});

/** How many times faster than each other contestant the AcountPay node is. */
const ratioTable = (results: Results, figure: (run: Run) => number) =>
	sizeTable(
		results,
		CONTESTANTS.filter((contestant) => contestant !== 'acountPay'),
		(contestant, items) => {
			const ratio = pairedRatio(results, [contestant, 'acountPay'], items, figure);
			return ratio === undefined ? undefined : `${number(ratio, 2)} ×`;
		},
	);

/** 'peak (+ grown)'. */
const memoryTable = (results: Results) =>
	sizeTable(results, N8N_CONTESTANTS, (contestant, items) => {
		const peak = medianOf(results, contestant, items, (run) => run.peakMb!);
		const grown = medianOf(results, contestant, items, (run) => run.grownMb!);
		return peak === undefined || grown === undefined
			? undefined
			: `${number(peak)} (+${number(grown)})`;
	});

/** 'token requests / refused calls' of the cold and of the warm run. */
const trafficTable = (results: Results, run: 'cold' | 'warm') =>
	sizeTable(results, CONTESTANTS, (contestant, items) => {
		const found = trafficOf(results, contestant, items)[run];
		return found && `${number(found.tokens)} / ${number(found.refused)}`;
	});

const troubleTable = ({ troubles, troubleItems }: Results) =>
	table(
		[
			'',
			'token ended: token requests / refused calls',
			'one refused: payments made',
			'of them named in the stored execution',
			`Retry On Fail: payments made for ${number(troubleItems)} items`,
		],
		troubles.map(({ contestant, tokenEnded, oneRefused, retried }) => [
			TITLES[contestant],
			`${number(tokenEnded.tokens)} / ${number(tokenEnded.refused)}`,
			number(oneRefused.made),
			number(oneRefused.named),
			number(retried.made),
		]),
	);

const msOf = (run: Run) => run.ms!;
const cpuOf = (run: Run) => run.cpuMs!;

/** The machine and the versions, as a sentence. */
export const measuredOn = (on: Surroundings): string =>
	`Measured on ${on.date.slice(0, 10)}: ${on.cpu}, ${on.cores} cores, ${on.memoryGb} GB of memory, ${on.system}, ` +
	`Node ${on.node}, n8n ${on.n8n}, n8n-nodes-acountpay ${on.package}, axios ${on.axios}.`;

/** The results as Markdown. */
export function report(results: Results): string {
	const { surroundings: on, latencyMs, concurrency, rounds, troubleItems } = results;
	return `${measuredOn(on)} Each request takes the sandbox ${latencyMs} ms,
${concurrency} calls are in flight at once where that can be chosen, each figure is the median of ${rounds} runs.

### Payments a second

${medianTable(results, CONTESTANTS, (run) => (run.items * 1000) / run.ms!, 0)}

How many times as long each of the others takes as the AcountPay node (median of the rounds' own ratios):

${ratioTable(results, msOf)}

### CPU time of a call, in ms

${medianTable(results, CONTESTANTS, (run) => run.cpuMs! / run.items, 2)}

How many times as much CPU time each of the others takes as the AcountPay node:

${ratioTable(results, cpuOf)}

### Peak memory of n8n's process, in MB, and how much of it the run added

${memoryTable(results)}

### Requests for a token / refused calls

With a new credential:

${trafficTable(results, 'cold')}

With a token that is still good:

${trafficTable(results, 'warm')}

### When something goes wrong, ${number(troubleItems)} items

${troubleTable(results)}`;
}

/** The places in the document that measurements fill. */
export type Section = 'distances' | 'bursts' | 'results' | 'profile';

/**
 * Puts a report into its place in the document, instead of the one that is there.
 *
 * @throws Error when the document has no such place
 */
export function insertReport(document: string, section: Section, text: string): string {
	const [beginMark, endMark] = [`<!-- ${section}: begin -->`, `<!-- ${section}: end -->`];
	const begin = document.indexOf(beginMark);
	const end = document.indexOf(endMark);
	if (begin < 0 || end < begin) {
		throw new Error(`The document has no '${beginMark}' and '${endMark}'`);
	}
	return `${document.slice(0, begin + beginMark.length)}\n\n${text}\n\n${document.slice(end)}`;
}

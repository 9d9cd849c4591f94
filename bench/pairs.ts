import { inspect } from 'node:util';

import { type Contestant, TITLES } from './contestants';

/** The middle of some numbers; undefined when there are none. */
export function median(values: number[]): number | undefined {
	const sorted = [...values].sort((a, b) => a - b);
	const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
	return sorted.length > 0 ? (low + high) / 2 : undefined;
}

/** Whose run it was, and in which round. */
export interface Turn {
	contestant: Contestant;
	round: number;
}

/**
 * Lets each side have its turn in each round; each round begins with the other side.
 *
 * @param rounds the first and the last; round 0 warms up and is not among the runs
 */
export async function runInTurn<Side extends Contestant, Figures extends object>(
	pair: readonly Side[],
	rounds: { first: 0 | 1; last: number },
	measure: (contestant: Side) => Promise<Figures>,
): Promise<Array<Turn & Figures>> {
	const runs: Array<Turn & Figures> = [];
	for (let round = rounds.first; round <= rounds.last; round++) {
		for (let turn = 0; turn < pair.length; turn++) {
			const contestant = pair[(round + turn) % pair.length];
			const run = { contestant, round, ...(await measure(contestant)) };
			console.log(inspect(run, { breakLength: Infinity, maxArrayLength: 0 }));
			if (round > 0) runs.push(run);
		}
	}
	return runs;
}

/** Some runs of a pair, and how they are compared. */
export interface Comparison<Run extends Turn> {
	pair: readonly Contestant[];
	runs: Run[];
	/** What is compared; undefined when a run does not count. */
	figure: (run: Run) => number | undefined;
	/** Writes a figure with its unit. */
	unit: (figure: number) => string;
	/** Of the figures of the first side and the second. */
	ratio: (own: number, other: number) => number;
}

/**
 * Compares the runs of one side with those that the other had in the same round.
 *
 * @returns three cells of a table: each side's median, and the median of the rounds' ratios; `–` for what no run has
 */
export function pairCells<Run extends Turn>(comparison: Comparison<Run>): string[] {
	const { pair, runs, figure, unit, ratio } = comparison;
	const sides = pair.map((side) => runs.filter(({ contestant }) => contestant === side));
	const ratios = sides[0].flatMap((run) => {
		const rival = sides[1].find(({ round }) => round === run.round);
		const [own, other] = [figure(run), rival && figure(rival)];
		return own && other ? ratio(own, other) : [];
	});
	const cell = (values: number[], write: (value: number) => string) => {
		const middle = median(values);
		return middle === undefined ? '–' : write(middle);
	};
	const figures = (side: Run[]) => side.flatMap((run) => figure(run) ?? []);
	const medians = sides.map((side) => cell(figures(side), unit));
	return [...medians, cell(ratios, (value) => value.toFixed(2))];
}

/** What a table of {@link pairCells} has above them. */
export const pairHead = (pair: readonly Contestant[]): string[] => [
	...pair.map((side) => TITLES[side]),
	'ratio',
];

/** Writes a time in ms as seconds. */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

import type { Contestant, N8nContestant } from './contestants';

/** One run of one contestant. */
export interface Run {
	contestant: Contestant;
	/** How many payments were asked for. */
	items: number;
	/** From 1; 0 is the first run with a new credential, which counts for its traffic only. */
	round: number;
	/** False when the node ended with an error or did not hand on every item. */
	complete: boolean;
	/** Requests for a token. */
	tokens: number;
	/** Payments made. */
	made: number;
	/** Requests for a payment that made none. */
	refused: number;
	/** How long it took; absent when it failed. */
	ms?: number;
	/** CPU time of the process that made the calls; absent when it failed. */
	cpuMs?: number;
	/** The most memory that n8n's process had, in MB; absent outside n8n and when it failed. */
	peakMb?: number;
	/** How much more that is than before the run, in MB; absent as `peakMb`. */
	grownMb?: number;
}

/** What comes of 100 items when something goes wrong. */
export interface Trouble {
	contestant: N8nContestant;
	/** The stored token has ended. */
	tokenEnded: { tokens: number; refused: number };
	/** One item is refused and the node stops on errors. */
	oneRefused: {
		made: number;
		/** How many of them the stored execution names. */
		named: number;
	};
	/** One item is refused once, with Retry On Fail. */
	retried: { made: number };
}

/** The machine and the versions that results hold for. */
export interface Surroundings {
	/** ISO 8601. */
	date: string;
	cpu: string;
	cores: number;
	memoryGb: number;
	system: string;
	/** Load average of the last minute, before the first run. */
	loadAtStart: number;
	n8n: string;
	node: string;
	package: string;
	axios: string;
}

/** All that a benchmark finds out; kept as `bench/results.json`. */
export interface Results {
	surroundings: Surroundings;
	latencyMs: number;
	concurrency: number;
	sizes: number[];
	rounds: number;
	runs: Run[];
	troubleItems: number;
	troubles: Trouble[];
}

/** The middle of some numbers; undefined when there are none. */
export function median(values: number[]): number | undefined {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle] : mean(sorted.slice(middle - 1, middle + 1));
}

const mean = (values: number[]): number | undefined =>
	values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;

/** The measured runs of a contestant at a size that were complete. */
const completeRuns = ({ runs }: Results, contestant: Contestant, items: number): Run[] =>
	runs.filter(
		(run) => run.contestant === contestant && run.items === items && run.round > 0 && run.complete,
	);

/**
 * The median of a figure over the complete measured runs.
 *
 * @returns undefined when none was complete
 */
export const medianOf = (
	results: Results,
	contestant: Contestant,
	items: number,
	figure: (run: Run) => number,
): number | undefined => median(completeRuns(results, contestant, items).map(figure));

/**
 * How often one contestant's figure fits into another's: the median over the rounds of each round's own ratio,
 * so that what disturbs the machine for a while disturbs both.
 *
 * @returns undefined when they share no complete round
 */
export function pairedRatio(
	results: Results,
	[over, under]: [Contestant, Contestant],
	items: number,
	figure: (run: Run) => number,
): number | undefined {
	const below = new Map(completeRuns(results, under, items).map((run) => [run.round, figure(run)]));
	return median(
		completeRuns(results, over, items)
			.filter(({ round }) => below.has(round))
			.map((run) => figure(run) / below.get(run.round)!),
	);
}

/** What a contestant sent at a size: in the first run with a new credential, and in the others (all the same, or undefined). */
export function trafficOf(
	{ runs }: Results,
	contestant: Contestant,
	items: number,
): { cold?: Run; warm?: Run } {
	const own = runs.filter((run) => run.contestant === contestant && run.items === items);
	return {
		cold: own.find(({ round }) => round === 0),
		warm: own.find(({ round }) => round > 0),
	};
}

/** The middle of some numbers; undefined when there are none. */
export function median(values: number[]): number | undefined {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	if (sorted.length % 2 === 1) return sorted[middle];
	return sorted.length > 0 ? (sorted[middle - 1] + sorted[middle]) / 2 : undefined;
}

/** Both sides' turns in these rounds; each round begins with the other side. */
export function* inTurn<Side>(sides: readonly Side[], firstRound: number, lastRound: number) {
	for (let round = firstRound; round <= lastRound; round++) {
		for (let turn = 0; turn < sides.length; turn++) {
			yield { round, side: sides[(round + turn) % sides.length] };
		}
	}
}

/**
 * Compares the runs of one side with those that the other had in the same round.
 *
 * @param figure a run's; undefined when it does not count
 * @returns the median of the rounds' ratios; undefined when no round has both
 */
export function medianRatio<Run extends { round: number }>(
	runs: Run[],
	others: Run[],
	figure: (run: Run) => number | undefined,
): number | undefined {
	const ratios = runs.flatMap((run) => {
		const other = others.find(({ round }) => round === run.round);
		const [own, base] = [figure(run), other && figure(other)];
		return own && base ? own / base : [];
	});
	return median(ratios);
}

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

/** The middle of some numbers; undefined when there are none. */
export function median(values: number[]): number | undefined {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle] : mean(sorted.slice(middle - 1, middle + 1));
}

const mean = (values: number[]): number | undefined =>
	values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;

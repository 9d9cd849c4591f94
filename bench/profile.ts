import { readFile } from 'node:fs/promises';
import type { Profiler } from 'node:inspector';

import { type Contestant, TITLES } from './contestants';
import { markdownTable } from './report';

const PROFILER = 'the profiler';
const COLLECTOR = 'garbage collection';
/** Whose code a function is, by its file; the first that fits counts. */
const OWNERS: ReadonlyArray<[owner: string, url: RegExp]> = [
	['this package', /\/node_modules\/n8n-nodes-acountpay\//],
	["n8n's expressions", /\/(isolated-vm|@n8n\/expression-runtime|n8n-workflow|luxon)\//],
	["n8n's requests", /\/(n8n-core|@n8n\/(backend-network|client-oauth2)|axios|follow-redirects)\//],
	["n8n's credentials and database", /\/(@n8n\/typeorm|sqlite3|tarn)\/|node:internal\/crypto/],
	['the rest of n8n', /\/node_modules\//],
	[PROFILER, /^node:inspector/],
	['Node: sockets, HTTP, streams, timers', /^node:/],
];
const SHOWN = [...OWNERS.map(([owner]) => owner), COLLECTOR].filter((owner) => owner !== PROFILER);

/** What one run took on the thread that runs the node. */
export interface ProfileRun {
	contestant: Contestant;
	items: number;
	/** ms of this thread for each owner. */
	busy: Record<string, number>;
}

/**
 * Adds up a profile of V8. A function's time is its own, without that of the functions that it calls; but a native function
 * counts for the code that called it.
 * @returns ms for each owner
 * @throws Error when there is no profile in the file
 */
export async function timeByOwner(file: string): Promise<Record<string, number>> {
	const profile = JSON.parse(await readFile(file, 'utf8')) as Profiler.Profile;
	const { nodes, samples = [], timeDeltas = [] } = profile;
	const owners = new Map<number, string | undefined>();
	const setOwner = (node: Profiler.ProfileNode, caller?: string) => {
		const { url, functionName } = node.callFrame;
		const owner =
			functionName === '(garbage collector)'
				? COLLECTOR
				: (OWNERS.find(([, pattern]) => pattern.test(url))?.[0] ?? caller);
		owners.set(node.id, owner);
		for (const id of node.children ?? []) setOwner(byId.get(id)!, owner);
	};
	const byId = new Map(nodes.map((node) => [node.id, node]));
	setOwner(nodes[0]);
	const busy: Record<string, number> = {};
	samples.forEach((id, index) => {
		const owner = owners.get(id);
		if (owner !== undefined) busy[owner] = (busy[owner] ?? 0) + timeDeltas[index] / 1_000;
	});
	return busy;
}

/** The runs as a Markdown table, a column each: ms a call. */
export function profileTable(runs: ProfileRun[]): string {
	const row = (title: string, owners: string[]) => [
		title,
		...runs.map(({ busy, items }) => {
			const ms = owners.reduce((sum, owner) => sum + (busy[owner] ?? 0), 0);
			return (ms / items).toFixed(2);
		}),
	];
	return markdownTable(
		runs.map(({ contestant }) => TITLES[contestant]),
		[...SHOWN.map((owner) => row(owner, [owner])), row('all', SHOWN)],
	);
}

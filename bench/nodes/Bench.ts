/* eslint-disable @n8n/community-nodes/node-usable-as-tool, @n8n/community-nodes/node-connection-type-literal -- only ever in n8n for this benchmark, from a folder without n8n-workflow */
import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	IRunExecutionData,
} from 'n8n-workflow';
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Where the profile goes; undefined when none is wanted. */
const { BENCH_PROFILE } = process.env;
/** How long V8 goes on sweeping after it has collected garbage, generously, in ms. */
const SWEEPING_MS = 500;
const session = new Session();

/**
 * Stands before and behind the measured node. Before it, makes items that ask for one payment each, and begins a profile as the
 * last thing it does. Behind it, ends the profile and says how long the measured node took.
 */
export class Bench implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Bench',
		name: 'bench',
		group: ['input'],
		version: 1,
		description: 'Makes items, or says what the node before it took',
		defaults: { name: 'Bench' },
		inputs: ['main'],
		outputs: ['main'],
		properties: [
			{ displayName: 'Count', name: 'count', type: 'number', default: 0 },
			{ displayName: 'Measured Node', name: 'measured', type: 'string', default: '' },
		],
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const measured = this.getNodeParameter('measured', 0) as string;
		if (!measured) return [await begin(this.getNodeParameter('count', 0) as number)];
		if (BENCH_PROFILE) {
			const { profile } = await session.post('Profiler.stop');
			session.disconnect();
			writeFileSync(BENCH_PROFILE, JSON.stringify(profile));
		}
		// Not part of what n8n offers to nodes; the stored execution says the same, but loading one of 10,000 items moves the memory.
		const { runExecutionData } = this as unknown as { runExecutionData: IRunExecutionData };
		const [run] = runExecutionData.resultData.runData[measured];
		return [[{ json: { ms: run.executionTime } }]];
	}
}

async function begin(count: number): Promise<INodeExecutionData[]> {
	const items = Array.from({ length: count }, (_, index) => ({
		json: {
			merchant: `merchant_${index % 7}`,
			amount: (10_000 + index) / 100,
			reference: `ORDER-${index}`,
		},
	}));
	// What earlier runs left behind is not this run's.
	setFlagsFromString('--expose-gc');
	(runInNewContext('gc') as () => void)();
	await sleep(SWEEPING_MS);
	if (BENCH_PROFILE) {
		session.connect();
		await session.post('Profiler.enable');
		await session.post('Profiler.start');
	}
	return items;
}

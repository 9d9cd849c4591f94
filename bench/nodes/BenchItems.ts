/* eslint-disable @n8n/community-nodes/node-usable-as-tool, @n8n/community-nodes/node-connection-type-literal -- only ever in n8n for this benchmark, from a folder without n8n-workflow */
import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How long V8 goes on sweeping after it has collected garbage, generously, in ms. */
const SWEEPING_MS = 500;

/** Makes items that ask for one payment each, and begins a profile as the last thing it does, when one is wanted. */
export class BenchItems implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Bench Items',
		name: 'benchItems',
		group: ['input'],
		version: 1,
		description: 'Makes items and begins a profile',
		defaults: { name: 'Bench Items' },
		inputs: ['main'],
		outputs: ['main'],
		properties: [{ displayName: 'Count', name: 'count', type: 'number', default: 1 }],
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const items = Array.from(
			{ length: this.getNodeParameter('count', 0) as number },
			(_, index): INodeExecutionData => ({
				json: {
					merchant: `merchant_${index % 7}`,
					amount: (10_000 + index) / 100,
					reference: `ORDER-${index}`,
				},
			}),
		);
		// What earlier runs left behind is not this run's.
		setFlagsFromString('--expose-gc');
		(runInNewContext('gc') as () => void)();
		await sleep(SWEEPING_MS);
		if (process.env.BENCH_PROFILE) {
			(globalThis as { benchProfiler?: Session }).benchProfiler = await startProfiler();
		}
		return [items];
	}
}

async function startProfiler(): Promise<Session> {
	const session = new Session();
	session.connect();
	await session.post('Profiler.enable');
	await session.post('Profiler.start');
	return session;
}

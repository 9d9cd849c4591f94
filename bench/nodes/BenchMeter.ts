/* eslint-disable @n8n/community-nodes/node-usable-as-tool, @n8n/community-nodes/node-connection-type-literal -- only ever in n8n for this benchmark, from a folder without n8n-workflow */
import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	IRunExecutionData,
} from 'n8n-workflow';
import { writeFileSync } from 'node:fs';
import type { Session } from 'node:inspector/promises';

/** What one run of the measured node took. */
export interface Reading {
	/** n8n's own record of how long the node ran, in ms. */
	ms: number;
}

/** Stands behind the measured node: reads its time, and ends the profile that 'Bench Items', before it, began. */
export class BenchMeter implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Bench Meter',
		name: 'benchMeter',
		group: ['output'],
		version: 1,
		description: 'Says what the node before it took',
		defaults: { name: 'Bench Meter' },
		inputs: ['main'],
		outputs: ['main'],
		properties: [{ displayName: 'Node', name: 'node', type: 'string', default: '' }],
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const { benchProfiler } = globalThis as { benchProfiler?: Session };
		if (benchProfiler) {
			const { profile } = await benchProfiler.post('Profiler.stop');
			benchProfiler.disconnect();
			writeFileSync(process.env.BENCH_PROFILE!, JSON.stringify(profile));
		}
		// Not part of what n8n offers to nodes; the stored execution says the same, but loading one of 10,000 items moves the memory.
		const { runExecutionData } = this as unknown as { runExecutionData: IRunExecutionData };
		const [run] = runExecutionData.resultData.runData[this.getNodeParameter('node', 0) as string];
		const reading: Reading = { ms: run.executionTime };
		return [[{ json: { ...reading } }]];
	}
}

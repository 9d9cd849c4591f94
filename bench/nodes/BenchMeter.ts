/* eslint-disable @n8n/community-nodes/node-usable-as-tool, @n8n/community-nodes/node-connection-type-literal -- only ever in n8n for this benchmark, from a folder without n8n-workflow */
import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	IRunExecutionData,
} from 'n8n-workflow';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Session } from 'node:inspector/promises';

/** The process as it was when the measured node began. */
export interface MeterStart {
	/** CPU time so far, in microseconds. */
	cpu: NodeJS.CpuUsage;
	/** Memory (resident set), in MB. */
	rssMb: number;
	/** Set when the run is profiled: `BENCH_PROFILE` is then the file to write. */
	profiler?: Session;
}

/** What one run of the measured node took. */
export interface Reading {
	/** n8n's own record of how long the node ran, in ms. */
	ms: number;
	/** CPU time of n8n's whole process, all threads, in ms. */
	cpuMs: number;
	/** The most memory (resident set) that n8n's process had meanwhile, in MB. */
	peakMb: number;
	/** How much more that is than at the beginning, in MB. */
	grownMb: number;
	/** How many items the node handed on. */
	items: number;
}

/** Stands behind the measured node: reads the meter that 'Bench Items', before it, started. */
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
		const start = (globalThis as unknown as { benchMeterStart: MeterStart }).benchMeterStart;
		const { user, system } = process.cpuUsage(start.cpu);
		if (start.profiler) {
			const { profile } = await start.profiler.post('Profiler.stop');
			start.profiler.disconnect();
			writeFileSync(process.env.BENCH_PROFILE!, JSON.stringify(profile));
		}
		const [, peakKb] = /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
		const peakMb = Number(peakKb) / 1024;
		// Not part of what n8n offers to nodes; the stored execution says the same, but loading one of 10,000 items moves the memory.
		const { runExecutionData } = this as unknown as { runExecutionData: IRunExecutionData };
		const [run] = runExecutionData.resultData.runData[this.getNodeParameter('node', 0) as string];
		const reading: Reading = {
			ms: run.executionTime,
			cpuMs: (user + system) / 1000,
			peakMb,
			grownMb: peakMb - start.rssMb,
			items: this.getInputData().length,
		};
		return [[{ json: reading as unknown as IDataObject }]];
	}
}

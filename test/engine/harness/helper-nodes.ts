import type { IExecuteFunctions, INodeExecutionData, INodeType } from 'n8n-workflow';

type Execute = (this: IExecuteFunctions) => Promise<INodeExecutionData[][]>;

const node = (
	name: string,
	execute: Execute,
	shape: Partial<INodeType['description']> = {},
): INodeType => ({
	description: {
		displayName: name,
		name,
		group: ['transform'],
		version: 1,
		description: `The test harness' ${name} node`,
		defaults: { name },
		inputs: ['main'],
		outputs: ['main'],
		properties: [],
		...shape,
	},
	execute,
});

async function pass(this: IExecuteFunctions) {
	return [this.getInputData()];
}

/** Fails when its first item has the reference of its parameter. */
async function failOn(this: IExecuteFunctions) {
	const [item] = this.getInputData();
	if (item.json.referenceNumber === this.getNodeParameter('reference', 0))
		throw new Error('Failed');
	return [this.getInputData()];
}

/** Like n8n's Loop Over Items: the first output is 'done', the second the next batch. */
async function loop(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	const context = this.getContext('node') as {
		waiting?: INodeExecutionData[];
		done: INodeExecutionData[];
	};
	if (context.waiting) {
		context.done.push(...this.getInputData());
	} else {
		context.waiting = [...this.getInputData()];
		context.done = [];
	}
	const batch = context.waiting.splice(0, this.getNodeParameter('batchSize', 0) as number);
	return batch.length > 0 ? [[], batch] : [context.done, []];
}

interface Tool {
	invoke(args: object): Promise<unknown>;
}

/** Like an agent that does not run its tools in the engine: one call for each item, all at once, with the item as arguments. */
async function agent(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	const items = this.getInputData();
	const results = await Promise.allSettled(
		items.map(async ({ json }, item) => {
			const [tool] = (await this.getInputConnectionData('ai_tool', item)) as Tool[];
			return await tool.invoke(json);
		}),
	);
	return [
		results.map((result) => ({
			json:
				result.status === 'fulfilled'
					? { said: result.value as string }
					: { failed: (result.reason as Error).message },
		})),
	];
}

/** Nodes around the one under test: `harness.start` hands out items, `harness.pass` passes them, `harness.loop`, `harness.agent`. */
export const helperNodes: Record<string, INodeType> = {
	'harness.start': node('start', pass, { group: ['trigger'], inputs: [] }),
	'harness.pass': node('pass', pass),
	'harness.failOn': node('failOn', failOn, {
		properties: [{ displayName: 'Reference', name: 'reference', type: 'string', default: '' }],
	}),
	'harness.agent': node('agent', agent, {
		inputs: ['main', { type: 'ai_tool', required: true }],
	}),
	'harness.loop': node('loop', loop, {
		outputs: ['main', 'main'],
		properties: [{ displayName: 'Batch Size', name: 'batchSize', type: 'number', default: 1 }],
	}),
};

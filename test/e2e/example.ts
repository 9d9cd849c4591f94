import axios from 'axios';
import type { IDataObject } from 'n8n-workflow';
import { Agent } from 'node:http';

import type { Table } from '../../tools/exampleSources/kit';
import type { Execution, N8nApi } from '../../tools/n8n/api';

/** Makes a request to n8n's REST interface that {@link N8nApi} has no name for. */
async function rest<T>(api: N8nApi, method: string, url: string, data?: object): Promise<T> {
	const answer = await axios.request<{ data: T }>({
		method,
		url,
		data,
		baseURL: `${api.url}/rest`,
		proxy: false,
		headers: { cookie: api.cookie },
		httpAgent: new Agent({ keepAlive: false }),
	});
	return answer.data.data;
}

/**
 * Starts a stored workflow by one of its triggers, as 'Execute workflow' in the editor does.
 *
 * @param item what the trigger hands on, as the editor's chat sends it; by default the trigger makes it
 * @returns the id of the execution, which has only begun
 */
export async function startFrom(
	api: N8nApi,
	workflowId: string,
	trigger: string,
	item?: IDataObject,
): Promise<string> {
	const data = item && {
		startTime: Date.now(),
		executionTime: 0,
		executionIndex: 0,
		executionStatus: 'success',
		source: [null],
		data: { main: [[{ json: item }]] },
	};
	const { executionId } = await rest<{ executionId: string }>(
		api,
		'POST',
		`/workflows/${workflowId}/run`,
		{
			workflowData: await api.getWorkflow(workflowId),
			triggerToStartFrom: { name: trigger, ...(data && { data }) },
		},
	);
	return executionId;
}

/** The names of the nodes that ran. */
export const nodesRun = ({ data }: Execution): string[] => Object.keys(data.resultData.runData);

/** A row of the data table that the examples share, as far as the tests look at it. */
export interface OrderRow extends IDataObject {
	reference: string;
	merchantId: string;
	amount: number;
	currency: string;
	customer?: string;
	email?: string;
	environment?: string | null;
	state?: string | null;
	paymentId?: string | null;
	note?: string | null;
}

/** A row of 'AcountPay payments', the data table of the example that pays once. */
export interface PaymentRow extends IDataObject {
	reference: string;
	environment?: string | null;
	merchantId?: string | null;
	amount?: number | null;
	currency?: string | null;
	state?: string | null;
	paymentId?: string | null;
	run?: string | null;
	note?: string | null;
}

/** A row of 'AcountPay merchants', the data table of the example that onboards merchants. */
export interface MerchantRow extends IDataObject {
	companyName: string;
	contactEmail: string;
	storeName?: string | null;
	streetAddress?: string | null;
	postalCode?: string | null;
	city?: string | null;
	state?: string | null;
	merchantNumber?: string | null;
	merchantId?: string | null;
	storeId?: string | null;
	note?: string | null;
}

/** A data table, as a person sees it under 'Data tables'. */
export class DataTable<Row extends IDataObject> {
	/**
	 * @param name such as 'AcountPay orders'
	 * @param key the column that tells one row from another
	 */
	constructor(
		private readonly api: N8nApi,
		private readonly name: string,
		private readonly key: keyof Row & string = 'reference',
	) {}

	private async path(): Promise<string | undefined> {
		const project = await rest<{ id: string }>(this.api, 'GET', '/projects/personal');
		const tables = `/projects/${project.id}/data-tables`;
		const { data } = await rest<{ data: Array<{ id: string; name: string }> }>(
			this.api,
			'GET',
			tables,
		);
		const table = data.find(({ name }) => name === this.name);
		return table && `${tables}/${table.id}`;
	}

	private async existing(): Promise<string> {
		const path = await this.path();
		if (!path) throw new Error(`There is no data table '${this.name}'`);
		return path;
	}

	/** Removes the table, if it is there. */
	async remove(): Promise<void> {
		const path = await this.path();
		if (path) await rest(this.api, 'DELETE', path);
	}

	/** Creates the table, as an example does that is run. */
	async create({ columns }: Table): Promise<void> {
		const project = await rest<{ id: string }>(this.api, 'GET', '/projects/personal');
		await rest(this.api, 'POST', `/projects/${project.id}/data-tables`, {
			name: this.name,
			columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
		});
	}

	/** Adds rows as a person does. */
	async add(...rows: Row[]): Promise<void> {
		const path = await this.existing();
		await rest(this.api, 'POST', `${path}/insert`, { data: rows, returnType: 'count' });
	}

	/** Changes the row with this key as a person does. */
	async change(key: string, data: Partial<Row>): Promise<void> {
		const filters = [{ columnName: this.key, condition: 'eq', value: key }];
		await rest(this.api, 'PATCH', `${await this.existing()}/rows`, {
			filter: { type: 'and', filters },
			data,
		});
	}

	/** All rows in the order in which they were added. */
	async rows(): Promise<Row[]> {
		const path = await this.existing();
		const { data } = await rest<{ data: Row[] }>(
			this.api,
			'GET',
			`${path}/rows?take=100&sortBy=id:asc`,
		);
		return data;
	}

	/** The row with this key. */
	async row(key: string): Promise<Row> {
		const row = (await this.rows()).find((candidate) => candidate[this.key] === key);
		if (!row) throw new Error(`There is no row ${key}`);
		return row;
	}
}

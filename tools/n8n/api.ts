import axios, { type AxiosError, type AxiosInstance, type Method } from 'axios';
import { parse } from 'flatted';
import type {
	ExecutionError,
	ExecutionStatus,
	ICredentialDataDecryptedObject,
	INodeExecutionData,
	IRunExecutionData,
	ITaskData,
	WorkflowExecuteMode,
} from 'n8n-workflow';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { WorkflowJson } from './workflow';

/** The person who owns the n8n that is started here. It listens on loopback and holds nothing. */
export const OWNER = {
	email: 'owner@example.com',
	password: 'Try-n8n-1',
	firstName: 'Owner',
	lastName: 'Example',
};

/** A stored credential, without its secrets. */
export interface StoredCredential {
	id: string;
	name: string;
	type: string;
}

/** A stored workflow. */
export interface StoredWorkflow extends WorkflowJson {
	id: string;
	active: boolean;
	versionId: string;
}

/** What n8n lists of an execution. */
export interface ExecutionSummary {
	id: string;
	workflowId: string;
	mode: WorkflowExecuteMode;
	status: ExecutionStatus;
	retryOf?: string | null;
	/** ISO 8601; set while the execution waits. */
	waitTill?: string | null;
}

/** An execution with all that its nodes were given and gave. */
export interface Execution extends ExecutionSummary {
	data: IRunExecutionData;
	workflowData: WorkflowJson;
}

/** How far a publication has come. */
export interface Publication {
	status: 'in_progress' | 'not_published' | 'published' | 'partial' | 'failed';
	/** What the triggers said that could not be set up. */
	problems: string[];
}

/** What the credential dialog shows after saving. */
export interface CredentialTestResult {
	status: 'OK' | 'Error';
	message: string;
}

/** What n8n 2.41 answers when it is asked for a publication; the versions before have nothing to ask. */
interface PublicationStatus {
	status: Publication['status'];
	triggers: Array<{ errorMessage: string | null }>;
}

const FINISHED: ExecutionStatus[] = ['success', 'error', 'canceled', 'crashed'];
const POLL_MS = 100;

/** True when nothing more will happen in this execution. A waiting one is not finished. */
export const isFinished = ({ status }: ExecutionSummary) => FINISHED.includes(status);

/**
 * The last run of a node in an execution.
 *
 * @throws Error when the node did not run
 */
export function lastRun(execution: Execution, node: string): ITaskData {
	const run = execution.data.resultData.runData[node]?.at(-1);
	if (!run) throw new Error(`The node '${node}' did not run in execution ${execution.id}`);
	return run;
}

/** The items that a node handed on in its last run, by its first output; none when it failed. */
export const itemsOf = (execution: Execution, node: string): INodeExecutionData[] =>
	lastRun(execution, node).data?.main[0] ?? [];

/** The error that ended the execution, as n8n stored it. */
export const errorOf = (execution: Execution): ExecutionError | undefined =>
	execution.data.resultData.error;

/** n8n's own REST interface, the one its editor uses. Every method throws an Error with n8n's message. */
export class N8nApi {
	private readonly http: AxiosInstance;

	/**
	 * @param url of n8n, without a slash at the end
	 * @param cookie that {@link N8nApi.signUp} got
	 */
	constructor(
		readonly url: string,
		readonly cookie: string,
	) {
		this.http = axios.create({
			baseURL: `${url}/rest`,
			proxy: false,
			headers: { cookie },
			// A connection that is kept can be closed by n8n in the moment in which it is used again.
			httpAgent: new Agent({ keepAlive: false }),
		});
	}

	/** Makes the owner of a new n8n. */
	static async signUp(url: string): Promise<N8nApi> {
		const { headers } = await axios.post(`${url}/rest/owner/setup`, OWNER, { proxy: false });
		const cookie = headers['set-cookie']?.map((text) => text.split(';')[0]).join('; ');
		if (!cookie) throw new Error('n8n took the owner but gave no session');
		return new N8nApi(url, cookie);
	}

	private async call<T>(method: Method, path: string, data?: object): Promise<T> {
		try {
			return (await this.http.request<{ data: T }>({ method, url: path, data })).data.data;
		} catch (thrown) {
			const { response, message } = thrown as AxiosError<{ message?: string }>;
			const reason = response?.data?.message ?? message;
			throw new Error(`n8n refused ${method} /rest${path}: ${reason}`);
		}
	}

	/** Stores a credential. It is not tested by that. */
	async createCredential(
		name: string,
		type: string,
		data: ICredentialDataDecryptedObject,
	): Promise<StoredCredential> {
		const { id } = await this.call<StoredCredential>('POST', '/credentials', { name, type, data });
		return { id, name, type };
	}

	/** Stores other values, as the dialog does when a credential is edited and saved. */
	async updateCredential(
		credential: StoredCredential,
		data: ICredentialDataDecryptedObject,
	): Promise<void> {
		await this.call('PATCH', `/credentials/${credential.id}`, { ...credential, data });
	}

	/** Asks for the test that the dialog asks for after saving. */
	async testCredential(
		credential: StoredCredential,
		data: ICredentialDataDecryptedObject,
	): Promise<CredentialTestResult> {
		return await this.call('POST', '/credentials/test', { credentials: { ...credential, data } });
	}

	/** Stores a workflow. It is not active by that. */
	async createWorkflow(workflow: WorkflowJson): Promise<StoredWorkflow> {
		return await this.call('POST', '/workflows', { ...workflow, active: false });
	}

	/** Stores other nodes in the place of a workflow's nodes. */
	async updateWorkflow(id: string, workflow: WorkflowJson): Promise<StoredWorkflow> {
		const { versionId } = await this.getWorkflow(id);
		return await this.call('PATCH', `/workflows/${id}`, { ...workflow, versionId });
	}

	async getWorkflow(id: string): Promise<StoredWorkflow> {
		return await this.call('GET', `/workflows/${id}`);
	}

	/** Activates (publishes) a workflow. n8n 2.41 answers before the trigger is set up. */
	async activate(id: string): Promise<void> {
		const { versionId } = await this.getWorkflow(id);
		await this.call('POST', `/workflows/${id}/activate`, { versionId });
	}

	/** {@link activate}, and its result once n8n has tried to set up the triggers. */
	async publish(id: string, timeoutMs = 60_000): Promise<Publication> {
		try {
			await this.activate(id);
		} catch (error) {
			// Before 2.41 the response to the activation is the result.
			return { status: 'failed', problems: [(error as Error).message] };
		}
		const until = Date.now() + timeoutMs;
		for (;;) {
			const publication = await this.publication(id);
			const isOver = !['in_progress', 'not_published'].includes(publication.status);
			if (isOver) return publication;
			if (Date.now() > until) {
				throw new Error(`Workflow ${id} is ${publication.status} after ${timeoutMs} ms`);
			}
			await sleep(POLL_MS);
		}
	}

	private async publication(id: string): Promise<Publication> {
		const path = `/workflows/${id}/publication-status`;
		const { status, data } = await this.http.get<{ data: PublicationStatus }>(path, {
			validateStatus: (answered) => answered === 200 || answered === 404,
		});
		if (status === 404) return { status: 'published', problems: [] };
		const { triggers } = data.data;
		const problems = triggers.flatMap(({ errorMessage }) => errorMessage ?? []);
		return { status: data.data.status, problems };
	}

	async deactivate(id: string): Promise<void> {
		await this.call('POST', `/workflows/${id}/deactivate`, {});
	}

	/**
	 * Starts a stored workflow by its manual trigger, as 'Execute workflow' in the editor does.
	 *
	 * @returns the id of the execution, which has only begun
	 */
	async startWorkflow(id: string): Promise<string> {
		const workflow = await this.getWorkflow(id);
		const trigger = workflow.nodes.find(({ type }) => type === 'n8n-nodes-base.manualTrigger');
		if (!trigger) throw new Error(`Workflow ${id} has no manual trigger`);
		const { executionId } = await this.call<{ executionId: string }>(
			'POST',
			`/workflows/${id}/run`,
			{
				workflowData: workflow,
				triggerToStartFrom: { name: trigger.name },
			},
		);
		return executionId;
	}

	/** {@link startWorkflow}, and the execution when it is finished, whatever came of it. */
	async runWorkflow(id: string, timeoutMs?: number): Promise<Execution> {
		const executionId = await this.startWorkflow(id);
		return await this.waitForExecution(
			(execution) => execution.id === executionId && isFinished(execution),
			timeoutMs,
		);
	}

	/** An execution, finished or not, with its data as far as it is stored. n8n 2.20 refuses it for one that runs. */
	async getExecution(id: string): Promise<Execution> {
		const execution = await this.call<Omit<Execution, 'data'> & { data: string }>(
			'GET',
			`/executions/${id}`,
		);
		return { ...execution, data: parse(execution.data) as IRunExecutionData };
	}

	/** The 100 latest executions, of all workflows or of one, the latest first. */
	async listExecutions(workflowId?: string): Promise<ExecutionSummary[]> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId }));
		const { results } = await this.call<{ results: ExecutionSummary[] }>(
			'GET',
			`/executions?limit=100&filter=${filter}`,
		);
		return results;
	}

	/** How many executions of a workflow have this status. */
	async countExecutions(workflowId: string, status: ExecutionStatus): Promise<number> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId, status: [status] }));
		const path = `/executions?limit=1&filter=${filter}`;
		return (await this.call<{ count: number }>('GET', path)).count;
	}

	/**
	 * Waits until an execution of the latest 100 is as wanted.
	 *
	 * @param isWanted for example `(execution) => execution.workflowId === id && isFinished(execution)`
	 * @throws Error after `timeoutMs` milliseconds, with the executions there are
	 */
	async waitForExecution(
		isWanted: (execution: ExecutionSummary) => boolean,
		timeoutMs = 60_000,
	): Promise<Execution> {
		const until = Date.now() + timeoutMs;
		for (;;) {
			const executions = await this.listExecutions();
			const wanted = executions.find(isWanted);
			if (wanted) return await this.getExecution(wanted.id);
			if (Date.now() > until) {
				const there = executions.map(({ id, status, workflowId }) => ({ id, status, workflowId }));
				throw new Error(
					`No such execution within ${timeoutMs} ms. There is: ${JSON.stringify(there)}`,
				);
			}
			await sleep(POLL_MS);
		}
	}

	/**
	 * Retries a failed execution by hand.
	 *
	 * @param loadWorkflow true for the workflow as it is stored now, false for the one that failed
	 * @returns the new execution, finished
	 */
	async retryExecution(id: string, { loadWorkflow = false } = {}): Promise<Execution> {
		const retried = await this.call<{ id: string }>('POST', `/executions/${id}/retry`, {
			loadWorkflow,
		});
		return await this.getExecution(retried.id);
	}

	/** Stops a running or waiting execution. */
	async stopExecution(id: string): Promise<void> {
		await this.call('POST', `/executions/${id}/stop`, {});
	}

	/** Where an active workflow's webhook with this path listens. */
	webhookUrl(path: string): string {
		return `${this.url}/webhook/${path}`;
	}
}

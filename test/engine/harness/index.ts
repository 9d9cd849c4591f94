/**
 * n8n's real execution engine for jest: n8n-core loads the built package, runs it with WorkflowExecute, gets
 * tokens with its own OAuth2 code over real HTTP, and stores executions and credentials as n8n's database would.
 * The parts of n8n that are in no library (its credentials helper, retry by hand, waiting, webhooks) do what
 * n8n 2.41.1 does; each says which file of n8n it follows. Only loopback can be reached.
 *
 *     const engine = await createEngine({
 *       credential: { environment: 'custom', baseUrl: sandbox.url, clientId: 'id', clientSecret: 'secret' },
 *     });
 *     const execution = await engine.runNode({
 *       node: { parameters: { operation: 'create', merchantId: '={{ $json.merchant }}', … }, retryOnFail: true },
 *       items: [{ merchant: 'merchant_1' }, { merchant: 'merchant_2' }],
 *     });
 *     expect(execution.status).toBe('success');
 *     expect(execution.json()).toEqual([…]);
 *     expect(engine.credential.tokenWrites).toBe(1);
 *     expect(engine.log.text()).not.toContain('secret');
 *
 * - `runNode`, `runWorkflow` wait for the end; `startNode`, `startWorkflow` give `cancel()` and `finished`, too.
 *   `timeLimit` (ms) is the workflow's own. Around the node under test stand `harness.start`, `harness.pass` and
 *   `harness.loop` (Loop Over Items: output 0 is 'done', output 1 the batch).
 * - An `Execution` is what n8n stored: `status`, `error`, `items()`, `json()`, `runs()`, `context()`, `waitTill`.
 * - `retry(execution)` is a retry by hand, `retry(execution, workflow)` one with the workflow as saved by now.
 * - `engine.credential` is the stored credential: `data()`, `oauthTokenData()`, `edit({ clientSecret })`, `reads`,
 *   `tokenWrites`. `testCredential()` is what the dialog says when it is saved.
 * - A parked execution goes on by an HTTP request to its resume URL, then `execution(id)`, or by
 *   `resumeAfterTimeout(execution)`.
 * - `publish(workflow)` gives the URLs of its triggers, `executions()` what they started; `staticData` by workflow.
 * - `binary(item)` is an item's file. A node has to name its type: guessing it is what jest keeps n8n from.
 * - `log` is n8n's log, all levels, with `text()` to look for what must not be in it.
 * - `variantOfPackage` makes a changed copy of this package, to see that a test notices, or with `shorten` to wait less.
 * - Modules of the package stay loaded for the test file, as in one n8n process; the rest is new in each engine.
 */
export { StoredCredential, type OAuthTokenData } from './credential';
export {
	createEngine,
	Engine,
	type ConnectionDefinition,
	type EngineOptions,
	type NodeDefinition,
	type NodeOptions,
	type Published,
	type Running,
	type StartOptions,
	type WorkflowDefinition,
} from './engine';
export { onEnd } from './environment';
export { Execution, type OutputChoice, type StoredExecution } from './execution';
export type { ExpressionEngine } from './expressions';
export { log, RecordedLog, type LogEntry } from './log';
export { shorten, variantOfPackage, writePackage } from './package';

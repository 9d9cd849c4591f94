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
 * - `runNode`, `runWorkflow` wait for the end; `startNode`, `startWorkflow` give `cancel()` and `finished`.
 * - `retry(execution)` is a retry by hand; `resumeAfterTimeout(execution)` ends a parked wait.
 * - `engine.credential` is the stored credential: `data()`, `oauthTokenData()`, `edit({ clientSecret })`.
 * - `variantOfPackage` makes a broken copy of this package, to see that a test notices.
 */
export { StoredCredential, type OAuthTokenData } from './credential';
export {
	createEngine,
	Engine,
	type ConnectionDefinition,
	type EngineOptions,
	type NodeDefinition,
	type NodeOptions,
	type Running,
	type StartOptions,
	type WorkflowDefinition,
} from './engine';
export { onEnd } from './environment';
export { Execution, type OutputChoice, type StoredExecution } from './execution';
export type { ExpressionEngine } from './expressions';
export { log, RecordedLog, type LogEntry } from './log';
export { variantOfPackage, writePackage } from './package';

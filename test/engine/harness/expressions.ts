import {
	Container,
	ExpressionEvaluator,
	GlobalConfig,
	IsolatedVmBridge,
	onEnd,
} from './environment';
import { Expression, LoggerProxy } from 'n8n-workflow';
import { expressionSandboxHooks } from 'n8n-workflow/dist/cjs/expression-sandboxing.js';

/**
 * How expressions are evaluated: `vm`, the default since n8n 2.x, in an isolate of their own,
 * about 40 ms for each execution that has an expression; `legacy` as in n8n 1.x, in the process itself.
 */
export type ExpressionEngine = 'vm' | 'legacy';

let started: Promise<void> | undefined;

/** Has all expressions evaluated that way from now on, in all engines of the test file. */
export async function useExpressionEngine(engine: ExpressionEngine) {
	if (engine === 'vm') await (started ??= startIsolates());
	Expression.setExpressionEngine(engine);
}

/**
 * What n8n's `Expression.initExpressionEngine` does. That loads the runtime by a dynamic import, which jest can't
 * do. An isolate is made when the first expression asks for it (n8n can be set to that): most tests need none.
 */
async function startIsolates() {
	const { bridgeTimeout, bridgeMemoryLimit, maxCodeCacheSize, poolSize } =
		Container.get(GlobalConfig).expressionEngine;
	const logger = LoggerProxy;
	const limits = { timeout: bridgeTimeout, memoryLimit: bridgeMemoryLimit };
	const evaluator = new ExpressionEvaluator({
		createBridge: () => new IsolatedVmBridge({ ...limits, logger, compileCache: true }),
		maxCodeCacheSize,
		poolSize,
		lazyAcquire: true,
		hooks: expressionSandboxHooks,
		logger,
	});
	await evaluator.initialize();
	Object.assign(Expression, { vmEvaluator: evaluator });
	onEnd(async () => await Expression.disposeExpressionEngine());
}

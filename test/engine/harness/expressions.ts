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
 * How expressions are evaluated: `vm`, the default since n8n 2.x, in an isolate of their own; `legacy` as in n8n 1.x, in the
 * process itself.
 */
export type ExpressionEngine = 'vm' | 'legacy';

let started: Promise<void> | undefined;

/** Has all expressions evaluated that way from now on, in all engines of the test file. */
export async function useExpressionEngine(engine: ExpressionEngine) {
	if (engine === 'vm') await (started ??= startIsolates());
	Expression.setExpressionEngine(engine);
}

/** Isolates that no execution has at present. */
const idle = new Set<SharedBridge>();

/**
 * An isolate that goes to another execution when one has ended. n8n makes a new one, which takes 40 ms, and half of all that the
 * engine tests would take. Between two expressions of one execution, the isolate stays in n8n as well.
 */
class SharedBridge extends IsolatedVmBridge {
	override async dispose() {
		if (!this.isDisposed()) idle.add(this);
	}

	/** What n8n's `dispose` does. */
	async end() {
		await super.dispose();
	}
}

/** @returns one that is idle, or else a new one */
function takeBridge(config: ConstructorParameters<typeof IsolatedVmBridge>[0]): SharedBridge {
	const [bridge] = idle;
	if (!bridge) return new SharedBridge(config);
	idle.delete(bridge);
	return bridge;
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
		createBridge: () => takeBridge({ ...limits, logger, compileCache: true }),
		maxCodeCacheSize,
		poolSize,
		lazyAcquire: true,
		hooks: expressionSandboxHooks,
		logger,
	});
	await evaluator.initialize();
	Object.assign(Expression, { vmEvaluator: evaluator });
	onEnd(async () => {
		await Expression.disposeExpressionEngine();
		for (const bridge of idle) await bridge.end();
	});
}

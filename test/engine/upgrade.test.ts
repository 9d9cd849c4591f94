/**
 * An execution that failed under 0.1.0 and is retried by hand under this version: nothing is made twice. The 0.1.0 is the
 * package as it was packed then.
 */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INode } from 'n8n-workflow';
import { extract } from 'tar';
import { onEnd } from './harness';
import { projectFolder } from './harness/types';
import { createNode, engineFor, handedOut, savedWith } from '../kit/engine';
import {
	createOf,
	FIELDS_OF_FIRST_PACKAGE,
	FIRST_PACKAGE,
	oneOfEach,
	orders,
	countsByReference,
	referenceOf,
	upTo,
	useSandbox,
} from '../kit/payments';

const sandbox = useSandbox();

/** The folder of 0.1.0, from which `n8n-workflow` is found. */
function firstVersion(): string {
	const folder = mkdtempSync(join(tmpdir(), 'n8n-0.1.0-'));
	onEnd(() => rmSync(folder, { recursive: true, force: true }));
	symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
	extract({ file: FIRST_PACKAGE, cwd: folder, sync: true });
	return join(folder, 'package');
}

/** Runs the node under 0.1.0 and retries the execution by hand under this version. */
async function failThenUpgrade(node: Partial<INode>, count: number, saved?: Partial<INode>) {
	const old = await engineFor(sandbox, {}, { folder: firstVersion() });
	const failed = await old.runNode({ node, items: orders(count) });
	expect(failed.status).toBe('error');
	const today = await engineFor(sandbox);
	today.add(old.credential);
	return await today.retry(failed, saved && savedWith(saved));
}

describe.each([
	['the original workflow', false],
	['the workflow as it is saved', true],
])('retried with %s', (_what, isSaved) => {
	it.each([
		['required fields alone', {}],
		['every field, and an expression that changes', { additionalFields: FIELDS_OF_FIRST_PACKAGE }],
	])('%s: one payment each, and all are handed out', async (_fields, more) => {
		sandbox.faults.add({ match: createOf(4), status: 422 });
		const node = createNode({ maxConcurrency: 1 });
		Object.assign(node.parameters!, more);
		const retried = await failThenUpgrade(node, 8, isSaved ? node : undefined);

		expect(retried.status).toBe('success');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(8)));
		expect(handedOut(retried)).toEqual(upTo(8).map(referenceOf));
	});

	it('a payment whose outcome is unknown is not sent again', async () => {
		sandbox.faults.add({ match: createOf(1), reset: 'after' });
		const node = createNode({ maxConcurrency: 1 });
		const retried = await failThenUpgrade(node, 3, isSaved ? node : undefined);

		expect(retried.error?.context).toMatchObject({ outcome: 'unknown', itemIndex: 1 });
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(3)));
	});
});

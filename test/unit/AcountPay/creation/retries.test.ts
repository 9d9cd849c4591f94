import type { IExecuteFunctions } from 'n8n-workflow';
import {
	retriedExecution,
	retriedExecutionBegan,
} from '../../../../nodes/AcountPay/creation/retries';

it.each<[string, object]>([
	['has no such method', {}],
	['knows no such moment', { getExecutionContext: () => undefined }],
])('an n8n that %s does not keep a retry from creating', (_what, context) => {
	expect(retriedExecutionBegan(context as IExecuteFunctions)).toBeUndefined();
});

it('remembers the 10,000 executions that were retried last', () => {
	const [first, second] = [retriedExecution('first'), retriedExecution('second')];
	for (let other = 0; other < 9_998; other++) retriedExecution(`other ${other}`);
	expect(retriedExecution('first')).toBe(first);
	retriedExecution('one more');
	expect(retriedExecution('second')).not.toBe(second);
	expect(retriedExecution('first')).toBe(first);
});

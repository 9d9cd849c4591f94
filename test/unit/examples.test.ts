import type { INode } from 'n8n-workflow';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

import { EXAMPLES_DIR, exampleNames, picturedBy, readExample } from '../../tools/exampleFiles';
import { drawnExamples } from '../../tools/exampleSources';

const names = exampleNames();
const readme = readFileSync(join(EXAMPLES_DIR, 'README.md'), 'utf8');

/** How wide and high n8n draws a node, and the name below it, in pixels. */
const NODE = 96;
const NAME = 32;

/** Where a note is, and where about its text ends, as n8n's letters are wide. */
function placeOfNote({ position: [left, top], parameters }: INode) {
	const { content, width, height } = parameters as {
		content: string;
		width: number;
		height: number;
	};
	const linesOf = (text: string, letter: number) =>
		Math.ceil((text.replace(/[*`#]/g, '').trim().length * letter) / (width - 32));
	const [heading, ...paragraphs] = content.split(/\n+/);
	const textHeight = paragraphs.reduce((sum, text) => sum + linesOf(text, 6.6) * 20 + 8, 0);
	const textEnds = top + 24 + linesOf(heading, 11.5) * 30 + textHeight;
	return { left, top, right: left + width, bottom: top + height, textEnds };
}

describe('the examples', () => {
	it('is in its file as it is drawn from its source', () => {
		const drawn = drawnExamples();
		expect(names.sort()).toEqual([...drawn.keys()].sort());
		for (const name of names) {
			expect(readExample(name)).toEqual(JSON.parse(JSON.stringify(drawn.get(name))));
		}
	});

	it.each(names)('%s has its place and its picture in the README', (name) => {
		expect(readme).toContain(`](${name}.json)`);
		const picture = join('images', `${picturedBy(name)}.webp`);
		expect(readme).toContain(`](${picture})`);
		expect(existsSync(join(EXAMPLES_DIR, picture))).toBe(true);
	});

	it.each(names)('%s has only connected nodes, and notes that lie side by side', (name) => {
		const { nodes, connections } = readExample(name);
		const connected = new Set(
			Object.entries(connections).flatMap(([from, outputs]) => [
				from,
				...Object.values(outputs)
					.flat(2)
					.map((to) => to!.node),
			]),
		);
		const isNote = ({ type }: { type: string }) => type.endsWith('.stickyNote');
		const drawn = nodes.filter((node) => !isNote(node));
		expect(drawn.map((node) => node.name).filter((one) => !connected.has(one))).toEqual([]);
		expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
		const isCovered = drawn.filter(({ name: one, position: [x, y] }) =>
			drawn.some(
				({ name: other, position: [left, top] }) =>
					one !== other && Math.abs(x - left) < 144 && Math.abs(y - top) < 112,
			),
		);
		expect(isCovered.map((node) => node.name)).toEqual([]);
		const places = nodes.filter(isNote).map(({ position: [left, top], parameters }) => ({
			left,
			top,
			right: left + Number(parameters.width),
			bottom: top + Number(parameters.height),
		}));
		const isOver = places.filter((one, index) =>
			places.some(
				(other, at) =>
					at !== index &&
					one.left < other.right &&
					other.left < one.right &&
					one.top < other.bottom &&
					other.top < one.bottom,
			),
		);
		expect(isOver).toEqual([]);
	});

	it.each(names)('%s has notes that can be read, with the names of their nodes inside', (name) => {
		const { nodes } = readExample(name);
		const notes = nodes.filter(({ type }) => type.endsWith('.stickyNote')).map(placeOfNote);
		const misplaced = nodes
			.filter(({ type }) => !type.endsWith('.stickyNote'))
			.filter(({ position: [left, top] }) =>
				notes.some(
					(note) =>
						left < note.right &&
						left + NODE > note.left &&
						top < note.bottom &&
						top + NODE > note.top &&
						(top < note.textEnds || top + NODE + NAME > note.bottom),
				),
			);
		expect(misplaced.map((node) => node.name)).toEqual([]);
	});

	it.each(names)('%s is run by the button that n8n shows first, where a person runs it', (name) => {
		const types = readExample(name).nodes.map(({ type }) => type);
		if (!types.includes('n8n-nodes-base.manualTrigger')) return;
		// n8n 2.41 presses these before a manual trigger, and then waits for their event.
		const before = /Trigger$|\.webhook$/;
		const others = types.filter((type) => before.test(type) && !type.endsWith('.manualTrigger'));
		expect(others.filter((type) => !type.endsWith('.executeWorkflowTrigger'))).toEqual([]);
	});

	it.each(names)(
		'%s has a Code node only where it decides about more than one row or payment',
		(name) => {
			const code = readExample(name).nodes.filter(({ type }) => type.endsWith('.code'));
			const known = [
				'New Invoices',
				'Open Orders',
				'Passed Over',
				'Check the Orders',
				'What Is Known',
				'Decide',
			];
			expect(code.filter((node) => !known.includes(node.name))).toEqual([]);
		},
	);

	it.each(names)('%s holds nothing of the n8n that it was made with', (name) => {
		const example = readExample(name);
		expect(Object.keys(example)).toEqual(['name', 'nodes', 'connections', 'settings']);
		for (const node of example.nodes) {
			expect(node).not.toHaveProperty('credentials');
			expect(node).not.toHaveProperty('webhookId');
		}
	});
});

/** Runs the Code node of an example that has these words. */
function runCode(example: string, words: string, globals: object): unknown {
	const codes = readExample(example).nodes.map(({ parameters }) => String(parameters.jsCode));
	const [code] = codes.filter((one) => one.includes(words));
	return JSON.parse(JSON.stringify(runInNewContext(`(() => {${code}\n})()`, globals))) as unknown;
}

/** The rows that an example takes out of the table, with their problems. */
const taken = (example: string, rows: object[]) =>
	runCode(example, 'One order has one row', {
		$input: { all: () => rows.map((json) => ({ json })) },
		$: () => ({ first: () => ({ json: { environment: 'sandbox' } }) }),
	}) as Array<{ json: { id: number; problem: string } }>;

const SEVERAL = '2 rows of the table have this reference.';

describe.each(['invoices-by-mail', 'invoices-by-mail-keys'])('the new rows of %s', (example) => {
	it.each([
		['another one that is new', {}],
		['a paid one', { state: 'paid', paymentId: '7' }],
		['one of the same environment', { environment: 'sandbox' }],
		['one whose reference looks the same', { reference: ' D\u200bUP ' }],
	])('are left to a person where their reference is that of %s', (_what, other) => {
		const rows = taken(example, [
			{ id: 1, reference: 'ONE', state: '' },
			{ id: 2, reference: 'DUP', state: null, environment: null },
			{ id: 3, reference: 'DUP', state: '', environment: 'sandbox', ...other },
		]);
		const problemOf = (id: number) => rows.find(({ json }) => json.id === id)?.json.problem;
		expect(problemOf(1)).toBe('');
		expect(problemOf(2)).toContain(SEVERAL);
	});

	it('are those of its environment and of none', () => {
		const rows = taken(example, [
			{ id: 1, reference: 'ONE', state: '', environment: 'sandbox' },
			{ id: 2, reference: 'ONE', state: '', environment: 'production' },
			{ id: 3, reference: 'TWO', state: 'created' },
		]);
		expect(rows).toMatchObject([{ json: { id: 1, problem: '' }, pairedItem: 0 }]);
	});
});

/** What an example hands on when it has checked these orders. */
const checked = (example: string, orders: object[]) =>
	runCode(example, 'has no amount', {
		$input: { first: () => ({ json: { orders } }) },
		$: () => ({ first: () => ({ json: { environment: 'sandbox' } }) }),
	}) as Array<{ json: { reference: string; amount: number } }>;

describe.each(['pay-once', 'pay-once-keys'])('an order of %s', (example) => {
	const order = { merchantId: 'm', reference: 'ORDER-1' };

	it.each([149.99, '149.99', '0.5', '1000', 1e2])('has the amount %j', (amount) => {
		const [{ json }] = checked(example, [{ ...order, amount }]);
		expect(json.amount).toBe(Number(amount));
	});

	it.each([
		...['1.000', '1,5', '1e2', '0x10', ' 10 ', '+5', '10.', '.5', '010', '1_000', '\u0663', ''],
		...[true, null, undefined, ['7'], { valueOf: 7 }, NaN, Infinity, 0, -1],
	])('has no amount when that is %j', (amount) => {
		expect(() => checked(example, [{ ...order, amount }])).toThrow(
			`Order 'ORDER-1' has no amount such as 149.99, but ${JSON.stringify(amount)}. No payment was created.`,
		);
	});

	it.each(['reference', 'merchantId'])(
		'may not have a %s that is another value as text',
		(name) => {
			// 2 ** 53 and 2 ** 53 + 1 are the same number.
			for (const value of [2 ** 53, 1e21, -Infinity, true, {}, ['A']]) {
				expect(() => checked(example, [{ ...order, amount: 1, [name]: value }])).toThrow(
					`Order 1 has a ${name} that is neither text nor an exact number: ${JSON.stringify(value)}. No payment was created.`,
				);
			}
			const exact = { ...order, amount: 1, [name]: 1007 };
			expect(checked(example, [exact])).toMatchObject([{ json: { [name]: '1007' } }]);
		},
	);

	it.each(['\u200b', ' \u2060 ', '\u00ad', '\u3164'])(
		'has no reference when nothing of it is seen: %j',
		(reference) => {
			expect(() => checked(example, [{ ...order, reference, amount: 1 }])).toThrow(
				'Order 1 has no reference. No payment was created.',
			);
		},
	);
});

describe('a reference in another Unicode form, with spaces, and with what nobody sees', () => {
	const forms = [
		'Caf\u00e9-1',
		' Cafe\u0301-1 ',
		'\u200bCaf\u00e9\u00ad-1\u2060',
		'Cafe\u034f\u0301-1 \u200b',
	];

	it.each(['pay-once', 'pay-once-keys'])('has the same row in %s', (example) => {
		const orders = forms.map((reference) => ({ merchantId: 'm', reference, amount: 1 }));
		const output = checked(example, orders);
		expect(output.map(({ json }) => json.reference)).toEqual(forms.map(() => forms[0]));
	});

	it.each(['nightly-reconciliation', 'nightly-reconciliation-keys'])(
		'of several rows is one order in %s',
		(example) => {
			const rows = forms.map((reference) => ({ reference, state: 'unknown' }));
			const problem = expect.stringContaining('4 rows of the table have this reference');
			expect(taken(example, rows)).toMatchObject(rows.map(() => ({ json: { problem } })));
		},
	);
});

/** Evaluates an expression of an example, `={{ … }}`. */
const evaluated = (expression: string, globals: object): unknown =>
	runInNewContext(`(${expression.slice('={{'.length, -'}}'.length)})`, globals);

/** The conditions of a node that are about an amount, each with its value. */
function amountConditions(example: string, name: string, globals: object) {
	const { parameters } = readExample(example).nodes.find((node) => node.name === name)!;
	const expressions = JSON.stringify(parameters).match(
		/"leftValue":"(?:[^"\\]|\\.)*amount.*?","operator".*?}/g,
	)!;
	return expressions.map((one) => {
		const { leftValue, operator } = JSON.parse(`{${one}}`) as {
			leftValue: string;
			operator: { operation: string };
		};
		return [operator.operation, evaluated(leftValue, globals)];
	});
}

describe('an amount with what a calculation has left behind its decimals', () => {
	const amount = 3 * 49.95;
	const order = { reference: 'ORDER-1', merchantId: 'm', amount, currency: 'DKK' };
	const $json = { isPaid: true, status: 'completed', amount: 149.85, currency: 'DKK' };

	it.each([
		...['paid-orders', 'paid-orders-keys'].map((example) => [example, 'As Ordered?']),
		...['point-of-sale', 'point-of-sale-keys', 'payment-form', 'payment-form-keys'].map(
			(example) => [example, 'How Did It End?'],
		),
		['pay-once', 'Its Reference?'],
	])('is that of its payment in %s, and another one is not', (example, name) => {
		const json = { ...order, body: order, data: order };
		const $ = () => ({ first: () => ({ json }) });
		const isReference = name === 'Its Reference?';
		expect(amountConditions(example, name, { $, $json })).toEqual([
			isReference ? ['equals', 'ORDER-1'] : ['true', true],
		]);
		const other = { ...$json, amount: 149.86 };
		expect(amountConditions(example, name, { $, $json: other })).toEqual([
			isReference ? ['equals', ''] : ['true', false],
		]);
	});

	it('is that of its payment in nightly-reconciliation, and another one is not', () => {
		const $ = () => ({ item: { json: { ...order, state: 'created', paymentId: '7' } } });
		const problemOf = (payment: object) =>
			fieldOf('nightly-reconciliation', 'Compare', 'problem', { $, $json: payment });
		expect(problemOf($json)).toBe('');
		expect(problemOf({ ...$json, referenceNumber: 'ORDER-1' })).toBe('');
		expect(problemOf({ ...$json, amount: 149.86 })).toBe('paid, but 149.86 DKK');
	});

	it.each(['pay-once', 'pay-once-keys'])(
		'is that of its row in %s, and another one is not',
		(example) => {
			const known = (row: object) =>
				runCode(example, 'Decides about one order', {
					$: () => ({
						first: () => ({ json: { ...order, environment: 'sandbox', run: '1-0', waitUntil: 0 } }),
					}),
					$input: {
						all: () => [
							{
								json: {
									...order,
									environment: 'sandbox',
									state: 'created',
									paymentId: '7',
									...row,
								},
							},
						],
					},
				});
			expect(known({ amount: 149.85 })).toMatchObject([{ json: { verdict: 'known' } }]);
			expect(known({ amount: 149.86 })).toMatchObject([{ json: { verdict: 'person' } }]);
		},
	);
});

it.each(['pay-once', 'pay-once-keys'])(
	'%s leaves an order to a person that is being created by nobody knows whom',
	(example) => {
		const order = {
			reference: 'ORDER-1',
			merchantId: 'm',
			amount: 1,
			currency: 'DKK',
			waitUntil: 0,
		};
		const known = (environment: string) =>
			runCode(example, 'Decides about one order', {
				$: () => ({ first: () => ({ json: { ...order, environment, run: '1-0' } }) }),
				$input: {
					all: () => [{ json: { ...order, environment: 'sandbox', state: 'creating', run: null } }],
				},
			});
		for (const environment of ['sandbox', 'production']) {
			const problem = expect.stringContaining('wait until the execution');
			expect(known(environment)).toMatchObject([{ json: { verdict: 'person', problem } }]);
		}
	},
);

it.each(['pay-once', 'pay-once-keys'])('%s makes up no ID for a payment without one', (example) => {
	const $json = { qrCodeUrl: 'https://api.acountpay.com/qr' };
	const $ = () => ({ first: () => ({ json: $json }) });
	const { parameters } = readExample(example).nodes.find(
		({ name }) => name === 'Note the Payment',
	)!;
	const { value } = parameters.columns as { value: { paymentId: string } };
	expect(evaluated(value.paymentId, { $json })).toBe('');
	expect(fieldOf(example, 'New Payment', 'paymentId', { $ })).toBe('');
});

it.each(['invoices-by-mail', 'invoices-by-mail-keys'])(
	'%s asks for kroner in its mail when the row names no currency',
	(example) => {
		const { parameters } = readExample(example).nodes.find(({ name }) => name === 'Send the Mail')!;
		const parts = String(parameters.html).match(/{{.*?}}/g)!;
		const json = { amount: 149.5, currency: null, reference: 'INV-1' };
		const globals = { $: () => ({ item: { json } }), $json: {} };
		const text = parts.map((part) => evaluated(`=${part}`, globals)).join(' ');
		expect(text).toContain('149.50 DKK INV-1');
	},
);

/** The field of a node Edit Fields, evaluated. */
function fieldOf(example: string, name: string, field: string, globals: object): unknown {
	const { parameters } = readExample(example).nodes.find((node) => node.name === name)!;
	const { assignments } = parameters.assignments as {
		assignments: Array<{ name: string; value: string }>;
	};
	return evaluated(assignments.find((one) => one.name === field)!.value, globals);
}

it('an event makes paid-orders-keys read the payments of two days only', () => {
	const { nodes } = readExample('paid-orders-keys');
	const { parameters } = nodes.find(({ name }) => name === 'Find Payment')!;
	expect(parameters.options).toEqual({ lookBackDays: 2 });
});

const NIGHTLY = ['nightly-reconciliation', 'nightly-reconciliation-keys'];

describe.each(NIGHTLY)('the open rows of %s', (example) => {
	const row = { reference: 'ORDER-1', state: 'created', paymentId: '7' };

	it.each([
		['with one reference', { paymentId: '8' }],
		['of which one is paid', { state: 'paid' }],
		['of which one has no environment', { environment: 'sandbox' }],
	])('are left to a person when there are two %s', (_what, other) => {
		const [{ json: order }] = taken(example, [row, { ...row, ...other }]);
		expect(order.problem).toContain(SEVERAL);
		const globals = { $: () => ({ item: { json: order } }), $json: { isPaid: true, amount: 1 } };
		const problem = example.endsWith('-keys')
			? (runCode(example, 'candidates', globals) as { json: { problem: string } }).json.problem
			: fieldOf(example, 'Compare', 'problem', globals);
		expect(problem).toBe(order.problem);
	});

	it.each([
		['gets an environment when its payment was read', { status: 'pending' }, null, true],
		['keeps its environment', { status: 'pending' }, 'sandbox', false],
		['gets none without a payment', { status: '' }, null, false],
		['gets none when it needs a person', { status: 'pending', problem: 'which?' }, null, false],
	])('are written back only where one %s', (_what, found, environment, expected) => {
		const { parameters } = readExample(example).nodes.find(({ name }) => name === 'Changed')!;
		const [text] = /={{.*?}}/.exec(JSON.stringify(parameters))!;
		const same = { before: 'created', after: 'created', oldNote: '', note: '', isFound: false };
		const $json = { ...same, problem: '', ...found };
		const $ = () => ({ item: { json: { ...row, environment } } });
		expect(evaluated(text, { $, $json })).toBe(expected);
	});

	it('include none that would be left alone for ever', () => {
		const passedOver = (...rows: object[]) =>
			runCode(example, 'passed over', {
				$input: { all: () => rows.map((json) => ({ json: { ...row, ...json } })) },
				$: () => ({ first: () => ({ json: { environment: 'sandbox' } }) }),
			});
		const ended = { environment: 'production', state: 'paid' };
		const ownState = { environment: 'production', state: 'cancelled' };
		expect(passedOver({}, { environment: 'sandbox' }, ended, ownState)).toEqual([]);
		const strange = [
			{ reference: 'A', environment: 'production', state: 'unknown' },
			{ reference: 'B', state: 'Created' },
			{ reference: 'C', state: ' notcreated', environment: 'sandbox' },
		];
		expect(() => passedOver({}, ...strange)).toThrow(
			"3 orders were passed over. Settings says 'sandbox': correct it, or their rows: A ('unknown' in 'production'), B ('Created' in ''), C (' notcreated' in 'sandbox')",
		);
	});

	it('are taken when only the other environment has the reference too', () => {
		const rows = taken(example, [row, { ...row, environment: 'production' }]);
		expect(rows).toMatchObject([{ json: { problem: '' }, pairedItem: 0 }]);
	});
});

it('rows of nightly-reconciliation that name one payment are told by its reference', () => {
	const example = 'nightly-reconciliation';
	const row = { reference: 'ORDER-1', state: 'created', paymentId: '7' };
	const [{ json: order }] = taken(example, [row, { ...row, reference: 'ORDER-2' }]);
	const problemOf = (payment: object) => {
		const $json = { isPaid: true, amount: 1, ...payment };
		const $ = () => ({ item: { json: { ...order, amount: 1 } } });
		return fieldOf(example, 'Compare', 'problem', { $, $json });
	};
	expect(problemOf({ referenceNumber: 'ORDER-1' })).toBe('');
	expect(problemOf({ referenceNumber: 'ORDER-2' })).toBe('payment 7 is for ORDER-2');
	expect(problemOf({})).toContain('and another row has it too');
});

describe.each(NIGHTLY)('the note after a night of %s', (example) => {
	const mail = 'The mail was not sent: mailbox full';
	const noQrCode = 'The payment was created (7), but its QR code is missing';

	const noteAfter = (oldNote: string, found: object) => {
		const json = { before: 'created', status: '', isPaid: false, problem: '', isFound: false };
		const before = { ...json, oldNote, ...found };
		const after = fieldOf(example, 'State', 'after', { $json: before });
		return fieldOf(example, 'State', 'note', { $json: { ...before, after } });
	};

	it.each([
		['a mail that was not sent', mail, { status: 'expired' }],
		['a mail that was on the way', 'Execution 7 is mailing the link', { status: 'failed' }],
		['a QR code that is missing', noQrCode, { status: 'pending' }],
		['an execution', 'Execution 7 is creating', { before: 'creating', problem: 'it is lost' }],
	])('still names %s', (_what, oldNote, found) => {
		expect(noteAfter(oldNote, found)).toBe(oldNote);
	});

	it('is empty when the order is paid', () => {
		expect(noteAfter(mail, { status: 'completed', isPaid: true })).toBe('');
	});

	it.each(['', mail])('has the last problem in front, until it is gone: %j', (oldNote) => {
		const first = noteAfter(oldNote, { problem: 'AcountPay is down' });
		expect(first).toBe(`Nightly: AcountPay is down${oldNote && `; before: ${oldNote}`}`);
		const second = noteAfter(String(first), { problem: 'it is slow' });
		expect(second).toBe(`Nightly: it is slow${oldNote && `; before: ${oldNote}`}`);
		expect(noteAfter(String(second), { status: 'pending' })).toBe(oldNote);
	});
});

describe('what nightly-reconciliation-keys decides', () => {
	const [at9, at10, at12] = ['09', '10', '12'].map((hour) => `2026-11-01T${hour}:00:00.000Z`);
	const last = { paymentId: 4, status: 'paid', isPaid: true, createdAt: at10 };

	/** About an order of which AcountPay lists this one payment. */
	const decided = (order: object, payment: object) => {
		const json = { reference: 'ORDER-1', paymentId: '', createdAt: at9, problem: '', ...order };
		const output = runCode('nightly-reconciliation-keys', 'candidates', {
			$json: { found: 'one', candidates: [{ relation: 'same', differences: [], payment }] },
			$: () => ({ item: { json } }),
		}) as { json: { noted: string; problem: string } };
		return output.json;
	};

	it.each([
		['that a freed row still names', { state: '', paymentId: '4', updatedAt: at9 }, last],
		['from before its row was freed', { state: '', updatedAt: at12 }, last],
		['from before the row was claimed', { state: 'creating', updatedAt: at12 }, last],
		['from before it was refused', { state: 'notCreated', updatedAt: at12 }, last],
		['that ended before the row was claimed', { state: 'creating', updatedAt: at12 }, 'expired'],
		['that has ended, of an unknown outcome', { state: 'unknown', updatedAt: at10 }, 'expired'],
	])('leaves a payment to a person %s', (_what, order, payment) => {
		const listed =
			typeof payment === 'string' ? { ...last, isPaid: false, status: payment } : payment;
		expect(decided(order, listed)).toMatchObject({
			noted: '',
			problem: expect.stringContaining(`payment 4 (${listed.status})`),
		});
	});

	it.each([
		['since the row was added', { state: '', updatedAt: at9 }, last],
		['since it was claimed', { state: 'creating', updatedAt: at9 }, last],
		['since it was claimed, that has ended', { state: 'creating', updatedAt: at9 }, 'expired'],
		['of an unknown outcome', { state: 'unknown', updatedAt: at12 }, last],
	])('takes the only payment %s', (_what, order, payment) => {
		const listed =
			typeof payment === 'string' ? { ...last, isPaid: false, status: payment } : payment;
		expect(decided(order, listed)).toMatchObject({ noted: '4', problem: '' });
	});
});

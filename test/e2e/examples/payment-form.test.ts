import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { type Payment } from '../../../sandbox';
import { launchBrowser } from '../../../tools/browser';
import { parametersOf } from '../../../tools/exampleFiles';
import { errorOf, isFinished, itemsOf, type StoredWorkflow } from '../../../tools/n8n/api';
import { SCREENSHOTS_DIR } from '../../../tools/n8n/editor';
import { textIn } from '../../kit/qrCode';
import { nodesRun } from '../example';
import { useExamples, WAYS } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

/** What a QR code of the largest version holds. It fits, but nothing decodes it from a phone's screen. */
const LONGEST_LINK = 2_331;
/** Longer than any link that is known of AcountPay, with a signed token in it. */
const LONG_LINK = 1_000;

describe.each(WAYS)('payment form with $way', ({ suffix, merchant, api: kind }) => {
	let browser: Browser;
	let page: Page;
	let workflow: StoredWorkflow;

	beforeAll(async () => {
		browser = await launchBrowser();
	});

	afterAll(async () => await browser.close());

	beforeEach(async () => {
		workflow = await examples.load(`payment-form${suffix}`, [], (example) => {
			parametersOf(example, 'Wait for the Money').timeoutMinutes = 0.02;
		});
		await examples.publish(workflow);
		page = await browser.newPage({ viewport: { width: 560, height: 600 } });
		page.setDefaultTimeout(90_000);
	});

	afterEach(async () => await page.close());

	const click = async (name: string) => await page.getByRole('button', { name }).click();

	/** Fills in the form as it is published. */
	const fillIn = async () => {
		await page.goto(`${api.url}/form/pay${suffix}`, { waitUntil: 'domcontentloaded' });
		await page.getByLabel('Your name').fill('Anna');
		await click('Continue');
		await page.getByLabel('What do you want to pay for?').selectOption('Day ticket (149.99 DKK)');
		await click('Continue');
	};

	/** The payment that the form has made, when its page shows it. */
	const shown = async (): Promise<Payment> => {
		await page.getByRole('button', { name: 'I have paid' }).waitFor();
		expect(examples.sandbox.payments).toHaveLength(1);
		return examples.sandbox.payments[0];
	};

	const ended = async () =>
		await api.waitForExecution(
			(execution) => execution.workflowId === workflow.id && isFinished(execution),
		);

	it('shows QR code and link, and thanks for the money', async () => {
		await fillIn();
		const payment = await shown();
		expect(payment).toMatchObject({
			merchant,
			amount: 149.99,
			currency: 'DKK',
			description: 'Day ticket',
		});
		expect(payment.api).toBe(kind);
		await page.getByText('Pay 149.99 DKK').waitFor();
		const link = page.getByRole('link', { name: 'Pay with your bank' });
		expect(await link.getAttribute('href')).toBe(examples.pageOf(payment));
		expect(await textIn(await page.screenshot())).toBe(examples.pageOf(payment));
		mkdirSync(SCREENSHOTS_DIR, { recursive: true });
		await page.screenshot({ path: join(SCREENSHOTS_DIR, `22-payment-form${suffix}.png`) });
		const customer = await browser.newPage({ viewport: { width: 496, height: 600 } });
		await customer.goto(examples.pageOf(payment));
		await customer.getByText('149.99 DKK').first().waitFor();
		await customer.screenshot({ path: join(SCREENSHOTS_DIR, `24-payment-page${suffix}.png`) });
		await customer.close();

		await examples.payAndSettle(payment.referenceNumber);
		await click('I have paid');
		await page.getByText('Your payment of 149.99 DKK has arrived').waitFor();
		const execution = await ended();
		expect(execution.status).toBe('success');
		expect(itemsOf(execution, 'Paid')).toHaveLength(1);
	});

	it('shows the page again when no money has come, and lets people try again when they have declined', async () => {
		await fillIn();
		const payment = await shown();
		await click('I have paid');
		await page.getByText('No payment has come yet.').waitFor();
		await shown();
		examples.sandbox.decline(payment.id);
		await click('I have paid');
		await page.getByText('No money has been taken').waitFor();
		const execution = await ended();
		expect(execution.status).toBe('success');
		expect(nodesRun(execution)).not.toContain('Paid');

		await page.getByRole('link', { name: 'Try again' }).click();
		await page.getByLabel('Your name').waitFor();
	});

	/** AcountPay refuses one request for the payment's status. */
	const refuseStatus = () =>
		examples.sandbox.faults.add({ match: { endpoint: 'get' }, status: 400 });

	it('shows the page again when AcountPay could not be asked, and then thanks for the money', async () => {
		await fillIn();
		const payment = await shown();
		await examples.payAndSettle(payment.referenceNumber);
		refuseStatus();
		await click('I have paid');
		await page.getByText("We don't know yet. If you have paid, don't pay again").waitFor();
		expect(await page.getByText('Pay first').count()).toBe(0);
		await click('I have paid');
		await page.getByText('Your payment of 149.99 DKK has arrived').waitFor();
		expect(itemsOf(await ended(), 'Paid')).toHaveLength(1);
	});

	it('asks a person to look when AcountPay could not be asked in the end', async () => {
		await examples.tidyUp();
		workflow = await examples.load(`payment-form${suffix}`, [], (example) => {
			const price = parametersOf(example, 'Price');
			Object.assign(price, JSON.parse(JSON.stringify(price).replace('minutes: 40', 'minutes: 0')));
		});
		await examples.publish(workflow);
		await fillIn();
		const { referenceNumber } = await shown();
		refuseStatus();
		await click('I have paid');
		await page.getByText("Please don't pay again").waitFor();
		expect(errorOf(await ended())?.message).toMatch(
			new RegExp(
				`${referenceNumber} of Anna, 149.99 DKK, is paid: AcountPay refused .*: Bad Request`,
			),
		);
	});

	it.each([
		['another amount', { amount: 1, currency: 'DKK' }],
		['another currency', { amount: 149.99, currency: 'EUR' }],
	])('asks a person to look when %s was paid', async (_what, paid) => {
		await fillIn();
		const { id, referenceNumber } = await shown();
		const body = { id, status: 'completed', ...paid };
		examples.sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 'always' });
		await click('I have paid');
		await page.getByText("Please don't pay again").waitFor();
		const execution = await ended();
		expect(nodesRun(execution)).not.toContain('Paid');
		expect(errorOf(execution)?.message).toContain(
			`${referenceNumber} of Anna, 149.99 DKK, is paid: AcountPay calls payment ${id} 'completed', ${paid.amount} ${paid.currency}`,
		);
	});

	if (kind === 'keys') {
		it.each([
			[320, 2, LONG_LINK],
			[390, 3, LONG_LINK],
			[1_280, 1, LONG_LINK],
			[320, 2, LONGEST_LINK],
		])(
			'fits a page that is %i pixels wide (x %i) with a link of %i characters',
			async (width, deviceScaleFactor, length) => {
				const link = `${examples.sandbox.url}/pay?token=`.padEnd(
					length,
					'eyJhbGciOiJIUzI1NiIsInR5cCI6Ikp',
				);
				const body = { paymentId: 1, paymentUrl: link, status: 'pending' };
				examples.sandbox.faults.add({ match: { endpoint: 'create' }, status: 201, body });
				await page.close();
				page = await browser.newPage({ viewport: { width, height: 800 }, deviceScaleFactor });
				page.setDefaultTimeout(90_000);
				await fillIn();
				await page.getByRole('button', { name: 'I have paid' }).waitFor();
				const content = await page.evaluate<number>('document.documentElement.scrollWidth');
				expect(content).toBeLessThanOrEqual(width);
				const picture = await page.screenshot({ fullPage: true });
				mkdirSync(SCREENSHOTS_DIR, { recursive: true });
				writeFileSync(join(SCREENSHOTS_DIR, `23-payment-form-${width}.png`), picture);
				if (length < LONGEST_LINK) expect(await textIn(picture)).toBe(link);
			},
		);
	}

	it('takes no product that is not sold', async () => {
		await page.goto(`${api.url}/form/pay${suffix}`, { waitUntil: 'domcontentloaded' });
		await page.getByLabel('Your name').fill('Anna');
		await click('Continue');
		const choice = page.getByLabel('What do you want to pay for?');
		await choice.evaluate((select: { options: Array<{ value: string; text: string }> }) => {
			const [, first] = select.options;
			first.value = first.text = 'Day ticket (Membership 250.00 DKK)';
		});
		await choice.selectOption({ index: 1 });
		await click('Continue');
		await page.getByText('The payment could not be started').first().waitFor();
		expect(errorOf(await ended())?.message).toContain('of Anna');
		expect(examples.sandbox.counts).not.toHaveProperty(['create 201']);
	});

	it('says so when no payment could be created, on a page that fits a phone', async () => {
		await page.setViewportSize({ width: 320, height: 600 });
		examples.sandbox.faults.add({ match: { endpoint: 'create' }, status: 400, times: 'always' });
		await fillIn();
		await page.getByText('The payment could not be started').first().waitFor();
		const content = await page.evaluate<number>('document.documentElement.scrollWidth');
		expect(content).toBeLessThanOrEqual(320);
		const execution = await ended();
		expect(errorOf(execution)?.message).toMatch(/^FORM-\d+ of Anna: AcountPay/);
		expect(examples.sandbox.payments).toEqual([]);
	});
});

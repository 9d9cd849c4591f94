import {
	acountPay,
	editFields,
	filter,
	isSameAmount,
	merchantId,
	merchantIdToRead,
	n8n,
	node,
	noOp,
	note,
	numberOf,
	paymentIdIn,
	stopAndError,
	switchTo,
	type ExampleSource,
} from './kit';

const PRICE = "$('Price').first().json";
const CREATED = "$('Create Payment').first().json";
const WAITED = "$('Wait for the Money').first().json";
const REFERENCE = `{{ ${PRICE}.reference }}`;
const MONEY = `{{ ${PRICE}.amount.toFixed(2) }} {{ ${PRICE}.currency }}`;

const MERCHANT = {
	accessTokens: 'merchant_abc123',
	apiKeys: '11111111-1111-4111-8111-111111111111',
};

const limitedTo = (minutes: number) => ({
	limitWaitTime: true,
	limitType: 'afterTimeInterval',
	resumeAmount: minutes,
	resumeUnit: 'minutes',
});

/** n8n draws its last page 448 pixels wide on any screen. */
const ENDING_STYLE = ':root { --container-width: min(448px, 100vw - 32px); }';

/** The last page of the form. */
const completion = (title: string, message: string) =>
	n8n('form', 2.5, {
		operation: 'completion',
		respondWith: 'text',
		completionTitle: title,
		completionMessage: message,
		...limitedTo(10),
		options: { formTitle: title, customCss: ENDING_STYLE },
	});

/** How a product is offered: its name and price, of which the browser returns the text. */
const OPTION = "name + ' (' + price.toFixed(2) + ' ' + $('Settings').first().json.currency + ')'";

/** Name and price of the product that was offered with exactly this text. What a browser returns may be anything. */
const CHOSEN = `Object.entries($('Products').first().json).find(([name, price]) => ${OPTION} === $json.product)`;

/** The page's second field: a choice of what is in **Products**, with its price. */
const PRODUCT_FIELD = `={{ JSON.stringify([{
	fieldName: 'product',
	fieldLabel: 'What do you want to pay for?',
	fieldType: 'dropdown',
	requiredField: true,
	fieldOptions: { values: Object.entries($('Products').first().json).map(([name, price]) => ({ option: ${OPTION} })) },
}]) }}`;

/** Of n8n's styles, a background is what scales: the code fits a phone that is 320 pixels wide. */
const QR_CODE_STYLE = `=/* n8n takes images with a data address out of HTML, but leaves them in styles. */
.form-header::after { content: "" / "QR code to pay"; display: block; width: min(100%, 296px); aspect-ratio: 1; margin: 16px auto 0; background: url("data:image/png;base64,{{ $('QR Code as Text').first().json.qrCode }}") center / contain no-repeat; }`;

const PAY_HTML = `=<p>{{ $('Wait for the Money').isExecuted ? (${WAITED}.status === 'pending' ? '<strong>No payment has come yet.</strong> Pay first, then click again.' : '<strong>We don\\'t know yet.</strong> If you have paid, don\\'t pay again; click again.') : 'Scan the code with your phone' + (${CREATED}.paymentUrl ? '. On a phone, open the link.' : '.') }}</p>{{ ${CREATED}.paymentUrl ? '<p><a href="' + ${CREATED}.paymentUrl + '" target="_blank" rel="noopener">Pay with your bank</a></p>' : '' }}`;

/** A form in which people choose what to pay for, and a page with QR code and link. */
export const paymentForm: ExampleSource = {
	file: 'payment-form',
	title: 'payment form',

	draw: (way) => ({
		nodes: [
			note(
				'ask',
				[-48, -288, 1072, 504],
				7,
				'## 1. Somebody fills in the form\nPut your merchant ID into **Settings**, and what people can pay for into **Products**: a field for each, with its price. Choose your AcountPay credential in **Create Payment** and **Wait for the Money**, publish, and give people the *Production URL* of **Payment Form**.',
			),
			note(
				'pay',
				[1048, -288, 896, 504],
				4,
				'## 2. They pay\n**Pay Page** shows the QR code and the link. When somebody clicks *I have paid*, the workflow asks AcountPay for up to a minute. While it is not known how the payment ended, the page comes again, for 40 minutes.',
			),
			note(
				'end',
				[1968, -288, 536, 744],
				5,
				'## 3. Thanks, or try again\nPut your own steps behind **Paid**: they run at most once per payment. *Paid* means that amount and currency are right.\nAnything else is not known to be paid.',
			),
			note(
				'none',
				[1048, 240, 896, 288],
				3,
				'## If no payment could be created\nThe page says so, and the execution fails, so that you see it.',
			),
			node(
				'Payment Form',
				[0, 0],
				n8n('formTrigger', 2.5, {
					formTitle: 'Pay by bank',
					formDescription: "You pay in your bank's app.",
					formFields: {
						values: [
							{
								fieldName: 'name',
								fieldLabel: 'Your name',
								fieldType: 'text',
								requiredField: true,
							},
						],
					},
					responseMode: 'lastNode',
					options: {
						path: way === 'apiKeys' ? 'pay-keys' : 'pay',
						buttonLabel: 'Continue',
						appendAttribution: false,
					},
				}),
			),
			node('Settings', [176, 0], editFields({ merchantId: MERCHANT[way], currency: 'DKK' })),
			node('Products', [352, 0], editFields({ 'Day ticket': 149.99, Membership: 250 })),
			node(
				'Choose',
				[528, 0],
				n8n('form', 2.5, {
					operation: 'page',
					defineForm: 'json',
					jsonOutput: PRODUCT_FIELD,
					...limitedTo(30),
					options: { formTitle: 'Pay by bank', buttonLabel: 'Continue' },
				}),
			),
			node('Chosen', [704, 0], filter(["={{ $json.product ?? '' }}", 'string notEmpty'])),
			node(
				'Price',
				[880, 0],
				editFields({
					amount: numberOf(`={{ ${CHOSEN}?.[1] }}`),
					currency: "={{ $('Settings').first().json.currency }}",
					reference: '=FORM-{{ $execution.id }}',
					product: `={{ ${CHOSEN}?.[0] ?? '' }}`,
					name: "={{ $('Payment Form').first().json.name }}",
					openUntil: numberOf('={{ $now.plus({ minutes: 40 }).toMillis() }}'),
				}),
			),
			node(
				'Create Payment',
				[1104, 0],
				acountPay(way, 'payment.create', {
					merchantId: merchantId(way, "={{ $('Settings').first().json.merchantId }}"),
					amount: '={{ $json.amount }}',
					referenceNumber: '={{ $json.reference }}',
					additionalFields: {
						currency: '={{ $json.currency }}',
						description: '={{ $json.product }}',
					},
					options: { qrCode: true },
				}),
				{ onError: 'continueErrorOutput' },
			),
			node(
				'QR Code as Text',
				[1280, 0],
				n8n('extractFromFile', 1.1, {
					operation: 'binaryToPropery',
					destinationKey: 'qrCode',
					options: {},
				}),
			),
			node(
				'Pay Page',
				[1456, 0],
				n8n('form', 2.5, {
					operation: 'page',
					defineForm: 'fields',
					formFields: {
						values: [{ fieldLabel: 'Pay', fieldType: 'html', elementName: 'pay', html: PAY_HTML }],
					},
					...limitedTo(40),
					options: {
						formTitle: `=Pay ${MONEY}`,
						formDescription: `={{ ${PRICE}.product }}, ${REFERENCE}`,
						buttonLabel: 'I have paid',
						customCss: QR_CODE_STYLE,
					},
				}),
			),
			node(
				'Wait for the Money',
				[1632, 0],
				acountPay(way, 'payment.waitForCompletion', {
					...merchantIdToRead(way, "={{ $('Settings').first().json.merchantId }}"),
					paymentId: `={{ ${paymentIdIn(CREATED)} }}`,
					...(way === 'accessTokens' && { resumeOn: 'polling' }),
					timeoutMinutes: 1,
					options: {},
				}),
				{ onError: 'continueRegularOutput' },
			),
			node(
				'How Did It End?',
				[1808, -32],
				switchTo(
					{
						Paid: [
							['={{ $json.isPaid === true }}', 'boolean true'],
							[
								`={{ ${isSameAmount(`$json.amount ?? ${PRICE}.amount`, `${PRICE}.amount`)} }}`,
								'boolean true',
							],
							[
								`={{ $json.currency ?? ${PRICE}.currency }}`,
								'string equals',
								`={{ ${PRICE}.currency }}`,
							],
						],
						'Declined or expired': [
							["={{ ['failed', 'expired'].includes($json.status) }}", 'boolean true'],
						],
						'Not yet': [
							[
								`={{ ['', 'pending', 'processing'].includes($json.status ?? '') && Date.now() < ${PRICE}.openUntil }}`,
								'boolean true',
							],
						],
					},
					'Anything else',
				),
			),
			node('Paid', [2048, -80], noOp()),
			node(
				'Thanks',
				[2288, -80],
				completion(
					'Thank you',
					`=Your payment of ${MONEY} has arrived. Your reference is ${REFERENCE}.`,
				),
			),
			node(
				'Try Again',
				[2048, 96],
				completion(
					'You have not paid',
					`=No money has been taken. <a href="{{ $execution.resumeFormUrl.split('/form-waiting/')[0] }}/form{{ $('Payment Form').first().json.formMode === 'test' ? '-test' : '' }}/${way === 'apiKeys' ? 'pay-keys' : 'pay'}">Try again</a>`,
				),
			),
			node(
				'Not Started',
				[1280, 368],
				completion(
					'The payment could not be started',
					`=Please don't try again yet. Contact us with the reference ${REFERENCE}, and we'll look into it.`,
				),
			),
			node(
				'We Look Into It',
				[2048, 272],
				completion(
					'We look into it',
					`=Your payment needs a person to look at it. Please don't pay again. Contact us with the reference ${REFERENCE}.`,
				),
			),
			node(
				'No Payment',
				[1456, 368],
				stopAndError(
					`=${REFERENCE} of {{ ${PRICE}.name }}: {{ $('Create Payment').first(1).json.error }}`,
				),
			),
			node(
				'Look Into It',
				[2288, 272],
				stopAndError(
					`=It is unclear whether ${REFERENCE} of {{ ${PRICE}.name }}, {{ ${PRICE}.amount }} {{ ${PRICE}.currency }}, is paid: {{ ${WAITED}.error ?? "AcountPay calls payment " + (${paymentIdIn(CREATED)}) + " '" + ${WAITED}.status + "', " + ${WAITED}.amount + ' ' + ${WAITED}.currency + '.' }}`,
				),
			),
		],
		connections: [
			'Payment Form > Settings > Products > Choose > Chosen > Price > Create Payment > QR Code as Text > Pay Page > Wait for the Money > How Did It End? > Paid > Thanks',
			'Create Payment[1] > Not Started > No Payment',
			'How Did It End?[1] > Try Again',
			'How Did It End?[2] > Pay Page',
			'How Did It End?[3] > We Look Into It > Look Into It',
		],
	}),
};

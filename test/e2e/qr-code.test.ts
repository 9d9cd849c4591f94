/**
 * The QR code on a real n8n: stored so that the editor shows it.
 */
import axios from 'axios';
import type { IBinaryData } from 'n8n-workflow';

import { itemsOf, type N8nApi } from '../../tools/n8n/api';
import { acountPay, itemsNode, manualTrigger, workflow } from '../../tools/n8n/workflow';
import { sharedN8n } from '../kit/n8n';
import { credentialFor, readQrCode, useSandbox } from '../kit/payments';
import { itIsPromised } from './promises';

jest.setTimeout(60_000);

const sandbox = useSandbox();

/** What the editor gets for the button 'View' of a file. */
async function view({ url, cookie }: N8nApi, { id }: IBinaryData): Promise<Buffer> {
	const { headers, data } = await axios.get<Buffer>(`${url}/rest/binary-data`, {
		params: { id, action: 'view' },
		headers: { cookie },
		proxy: false,
		responseType: 'arraybuffer',
	});
	expect(headers['content-type']).toBe('image/png');
	return Buffer.from(data);
}

/** Reads the image of payments, and of ones made in the same step. */
async function readImages(api: N8nApi, contentOf: (image: IBinaryData) => Promise<Buffer>) {
	const credential = await api.createCredential('QR', 'acountPayApi', credentialFor(sandbox));
	const merchantId = 'merchant_copenhagen';
	const { id } = await api.createWorkflow(
		workflow([
			manualTrigger(),
			itemsNode([{ reference: 'TABLE-1' }, { reference: 'TABLE-2' }]),
			acountPay(
				credential,
				{
					operation: 'create',
					merchantId,
					amount: 50,
					referenceNumber: '={{ $json.reference }}',
					options: { qrCode: true },
				},
				{ name: 'Create' },
			),
			acountPay(
				credential,
				{
					operation: 'getQrCode',
					merchantId,
					paymentId: '={{ $json.id }}',
					binaryPropertyName: 'again',
				},
				{ name: 'Get QR Code' },
			),
		]),
	);
	const execution = await api.runWorkflow(id);
	expect(execution.status).toBe('success');
	const items = itemsOf(execution, 'Get QR Code');
	expect(items.map(({ json }) => json.referenceNumber)).toEqual(['TABLE-1', 'TABLE-2']);
	for (const { json, binary } of items) {
		const image = await readQrCode(sandbox, merchantId, json.id as string);
		for (const field of ['data', 'again']) {
			const stored = binary![field];
			expect(stored).toMatchObject({ fileName: `${json.id as string}.png`, fileType: 'image' });
			expect((await contentOf(stored)).equals(image)).toBe(true);
		}
	}
}

describe('the image of a payment, and of one made in the same step', () => {
	const { api } = sharedN8n();

	itIsPromised(
		'QR codes are stored as files',
		async () => await readImages(api, async (image) => await view(api, image)),
		async () =>
			await readImages(api, async ({ id, data }) => {
				expect(id).toBeUndefined();
				return Buffer.from(data, 'base64');
			}),
	);
});

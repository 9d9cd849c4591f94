/**
 * The QR code on a real n8n: stored as a file that the editor shows.
 */
import axios from 'axios';

import { startSandbox, type Sandbox } from '../../sandbox';
import { itemsOf, type N8nApi } from '../../tools/n8n/api';
import { acountPay, itemsNode, manualTrigger, workflow } from '../../tools/n8n/workflow';
import { credentialFor, sharedN8n } from './n8n';
import { readQrCode } from './partner';

jest.setTimeout(60_000);

let sandbox: Sandbox;
beforeAll(async () => {
	sandbox = await startSandbox();
});
afterAll(async () => await sandbox.close());

/** What the editor gets for the button 'View' of a file. */
const view = async ({ url, cookie }: N8nApi, id: string) =>
	await axios.get<Buffer>(`${url}/rest/binary-data`, {
		params: { id, action: 'view' },
		headers: { cookie },
		proxy: false,
		responseType: 'arraybuffer',
	});

it('the image of a payment, and of one made in the same step, can be viewed in the editor', async () => {
	const { api } = sharedN8n();
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
			const { headers, data } = await view(api, stored.id!);
			expect(headers['content-type']).toBe('image/png');
			expect(Buffer.from(data).equals(image)).toBe(true);
		}
	}
});

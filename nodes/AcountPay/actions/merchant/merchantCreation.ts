import type { IDataObject, INodeProperties } from 'n8n-workflow';
import {
	merchantNumberOf,
	readCreatedMerchant,
	withMerchantNumber,
} from '../../../shared/api/merchants';
import type { ApiRequest } from '../../../shared/api/request';
import type { Client } from '../../../shared/transport/client';
import { createOnce, type Creation } from '../../creation/createOnce';
import {
	additionalFieldsWith,
	textFrom,
	textsFrom,
	withCustomFields,
} from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';

/** The body of a request that creates a merchant. */
type Body = IDataObject & { companyName: string };

/**
 * An operation that creates a merchant.
 * @param required its fields, each with the name that it has in the body
 * @param additional fields that the user may add; none: there is no such field
 * @param requestFor the request with a checked body
 * @param checkClient throws a ValidationError where no such merchant can be created
 */
export const merchantCreation = (
	option: Operation<Body>['option'],
	required: INodeProperties[],
	additional: INodeProperties[],
	requestFor: (body: Body) => ApiRequest,
	checkClient?: (client: Client) => void,
): Operation<Body> => ({
	option,
	fields: additional.length ? [...required, additionalFieldsWith(additional)] : required,
	creates: { noun: 'merchant', nameOf: ({ companyName }) => companyName, idOf: merchantNumberOf },

	check(item, client) {
		checkClient?.(client);
		const texts = required.map((field) => [field.name, textFrom(item, field).trim()]);
		const added = additional.length ? item.collection('additionalFields') : {};
		const own = { ...(Object.fromEntries(texts) as Body), ...textsFrom(added, additional) };
		return withCustomFields(own, added, [...required, ...additional]);
	},

	async run(body, { client, options, record }) {
		const request = requestFor(body);
		const { companyName } = body;
		const creation: Creation = {
			request,
			subject: { noun: 'merchant', name: `the merchant '${companyName}'` },
			title: `Merchant '${companyName}'`,
			readCreated: readCreatedMerchant,
			unknownAdvice: 'Look for this company in AcountPay before you create it again.',
		};
		const key = JSON.stringify([request.path, companyName]);
		const known = record(request, { referenceNumber: companyName, key, terms: accountIn(body) });
		const created = await createOnce({ client, creation, options, record: known });
		return [{ json: withMerchantNumber(created) }];
	},
});

/** Which company it is and where its money goes, in words: a retry with another account must not pass for the same merchant. */
function accountIn({ registrationNumber, iban, bic }: Body): string | undefined {
	const known = Object.entries({ 'registration number': registrationNumber, IBAN: iban, BIC: bic })
		.filter(([, value]) => typeof value === 'string')
		.map(([name, value]) => `${name} ${value as string}`);
	return known.length > 0 ? known.join(', ') : undefined;
}

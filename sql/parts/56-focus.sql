-- 56-focus.sql
--		FOCUS, the FinOps Open Cost and Usage Specification 1.4: what we billed as
--		its four datasets, and whether any table keeps its rules.
--		C code: src/focus.c

CREATE TYPE focus_dataset AS ENUM ('CostAndUsage', 'InvoiceDetail', 'BillingPeriod', 'ContractCommitment');
ALTER TYPE focus_dataset OWNER TO @extowner@;
COMMENT ON TYPE focus_dataset IS 'A dataset of FOCUS.';

CREATE TYPE focus_version AS ENUM ('1.0', '1.1', '1.2', '1.3', '1.4');
ALTER TYPE focus_version OWNER TO @extowner@;
COMMENT ON TYPE focus_version IS 'A version of FOCUS, oldest first.';

-- ----------
-- The model
-- ----------
CREATE FUNCTION focus_columns()
	RETURNS TABLE (dataset focus_dataset, column_name text, format text, level text, nullable boolean,
		introduced focus_version, removed focus_version, allowed text[], minimum numeric, maximum numeric)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT v.dataset::focus_dataset, v.column_name, v.format, v.level, v.nullable,
		v.introduced::focus_version, v.removed::focus_version, v.allowed::text[], v.minimum, v.maximum
	FROM (VALUES
		('CostAndUsage', 'AllocatedMethodDetails', 'JsonObject', 'Recommended', true, '1.3', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'AllocatedMethodId', 'String', 'Conditional', true, '1.3', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'AllocatedResourceId', 'String', 'Conditional', true, '1.3', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'AllocatedResourceName', 'String', 'Conditional', true, '1.3', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'AllocatedTags', 'KeyValue', 'Conditional', true, '1.3', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'AvailabilityZone', 'String', 'Recommended', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'BilledCost', 'Numeric', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'BillingAccountId', 'String', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'BillingAccountName', 'String', 'Mandatory', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'BillingAccountType', 'String', 'Conditional', false, '1.2', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'BillingCurrency', 'Currency', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'BillingPeriodEnd', 'DateTime', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'BillingPeriodStart', 'DateTime', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'CapacityReservationId', 'String', 'Conditional', true, '1.1', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'CapacityReservationStatus', 'String', 'Conditional', true, '1.1', NULL, '{Used,Unused}', NULL, NULL),
		('CostAndUsage', 'ChargeCategory', 'String', 'Mandatory', false, '1.0', NULL, '{Usage,Purchase,Tax,Credit,Adjustment}', NULL, NULL),
		('CostAndUsage', 'ChargeClass', 'String', 'Mandatory', true, '1.0', NULL, '{Correction}', NULL, NULL),
		('CostAndUsage', 'ChargeDescription', 'String', 'Mandatory', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ChargeFrequency', 'String', 'Recommended', false, '1.0', NULL, '{"One-Time",Recurring,"Usage-Based"}', NULL, NULL),
		('CostAndUsage', 'ChargePeriodEnd', 'DateTime', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ChargePeriodStart', 'DateTime', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'CommitmentDiscountCategory', 'String', 'Conditional', true, '1.0', NULL, '{Spend,Usage}', NULL, NULL),
		('CostAndUsage', 'CommitmentDiscountId', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'CommitmentDiscountName', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'CommitmentDiscountQuantity', 'Numeric', 'Conditional', true, '1.1', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'CommitmentDiscountStatus', 'String', 'Conditional', true, '1.0', NULL, '{Used,Unused}', NULL, NULL),
		('CostAndUsage', 'CommitmentDiscountType', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'CommitmentDiscountUnit', 'Unit', 'Conditional', true, '1.1', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'CommitmentProgramEligibilityDetails', 'JsonObject', 'Conditional', true, '1.4', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ConsumedQuantity', 'Numeric', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ConsumedUnit', 'Unit', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ContractApplied', 'JsonObject', 'Conditional', true, '1.3', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ContractedCost', 'Numeric', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ContractedUnitPrice', 'Numeric', 'Conditional', true, '1.0', NULL, NULL, 0, NULL),
		('CostAndUsage', 'EffectiveCost', 'Numeric', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'HostProviderName', 'String', 'Mandatory', true, '1.3', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'InvoiceDetailId', 'String', 'Conditional', true, '1.4', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'InvoiceId', 'String', 'Conditional', true, '1.2', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'InvoiceIssuerName', 'String', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ListCost', 'Numeric', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ListUnitPrice', 'Numeric', 'Conditional', true, '1.0', NULL, NULL, 0, NULL),
		('CostAndUsage', 'PricingCategory', 'String', 'Conditional', true, '1.0', NULL, '{Standard,Dynamic,Committed,Other}', NULL, NULL),
		('CostAndUsage', 'PricingCurrency', 'String', 'Conditional', false, '1.2', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'PricingCurrencyContractedUnitPrice', 'Numeric', 'Conditional', true, '1.2', NULL, NULL, 0, NULL),
		('CostAndUsage', 'PricingCurrencyEffectiveCost', 'Numeric', 'Conditional', false, '1.2', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'PricingCurrencyListUnitPrice', 'Numeric', 'Conditional', true, '1.2', NULL, NULL, 0, NULL),
		('CostAndUsage', 'PricingQuantity', 'Numeric', 'Mandatory', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'PricingUnit', 'Unit', 'Mandatory', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ProviderName', 'String', 'Mandatory', false, '1.0', '1.4', NULL, NULL, NULL),
		('CostAndUsage', 'PublisherName', 'String', 'Mandatory', false, '1.0', '1.4', NULL, NULL, NULL),
		('CostAndUsage', 'RegionId', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'RegionName', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ResourceId', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ResourceName', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ResourceType', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ServiceCategory', 'String', 'Mandatory', false, '1.0', NULL, '{"AI and Machine Learning",Analytics,"Business Applications",Compute,Databases,"Developer Tools",Multicloud,Identity,Integration,"Internet of Things","Management and Governance",Media,Migration,Mobile,Networking,Security,Storage,Web,Other}', NULL, NULL),
		('CostAndUsage', 'ServiceName', 'String', 'Mandatory', false, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ServiceProviderName', 'String', 'Mandatory', false, '1.3', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'ServiceSubcategory', 'String', 'Recommended', false, '1.1', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'SkuId', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'SkuMeter', 'String', 'Conditional', true, '1.1', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'SkuPriceDetails', 'KeyValue', 'Conditional', true, '1.1', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'SkuPriceId', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'SubAccountId', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'SubAccountName', 'String', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'SubAccountType', 'String', 'Conditional', true, '1.2', NULL, NULL, NULL, NULL),
		('CostAndUsage', 'Tags', 'KeyValue', 'Conditional', true, '1.0', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'BilledCost', 'Numeric', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'BillingAccountId', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'BillingCurrency', 'Currency', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'BillingPeriodEnd', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'BillingPeriodStart', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'ChargeCategory', 'String', 'Mandatory', false, '1.4', NULL, '{Usage,Purchase,Tax,Credit,Adjustment}', NULL, NULL),
		('InvoiceDetail', 'InvoiceDetailCreated', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'InvoiceDetailDescription', 'String', 'Mandatory', true, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'InvoiceDetailGrain', 'KeyValue', 'Mandatory', true, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'InvoiceDetailId', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'InvoiceDetailLastUpdated', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'InvoiceId', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'InvoiceIssueDate', 'DateTime', 'Mandatory', true, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'InvoiceIssueStatus', 'String', 'Mandatory', false, '1.4', NULL, '{Open,Issued,Voided}', NULL, NULL),
		('InvoiceDetail', 'InvoiceIssuerName', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'PaymentCurrency', 'Currency', 'Conditional', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'PaymentCurrencyBilledCost', 'Numeric', 'Conditional', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'PaymentCurrencyInvoiceDetailId', 'String', 'Conditional', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'PaymentDueDate', 'DateTime', 'Mandatory', true, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'PaymentTerms', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'PurchaseOrderNumber', 'String', 'Conditional', true, '1.4', NULL, NULL, NULL, NULL),
		('InvoiceDetail', 'ReferenceInvoiceId', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('BillingPeriod', 'BillingPeriodCreated', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('BillingPeriod', 'BillingPeriodEnd', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('BillingPeriod', 'BillingPeriodLastUpdated', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('BillingPeriod', 'BillingPeriodStart', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('BillingPeriod', 'BillingPeriodStatus', 'String', 'Mandatory', false, '1.4', NULL, '{Open,Closed}', NULL, NULL),
		('BillingPeriod', 'InvoiceIssuerName', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'BillingCurrency', 'Currency', 'Mandatory', true, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentApplicability', 'JsonObject', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentBenefitCategory', 'String', 'Mandatory', false, '1.4', NULL, '{Discount,Entitlement,Availability,Other}', NULL, NULL),
		('ContractCommitment', 'ContractCommitmentCategory', 'String', 'Mandatory', false, '1.3', NULL, '{Spend,Usage}', NULL, NULL),
		('ContractCommitment', 'ContractCommitmentCost', 'Numeric', 'Mandatory', true, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentCreated', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentDescription', 'String', 'Mandatory', true, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentDiscountPercentage', 'Numeric', 'Mandatory', true, '1.4', NULL, NULL, 0, 1),
		('ContractCommitment', 'ContractCommitmentDurationType', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentFulfillmentInterval', 'String', 'Mandatory', false, '1.4', NULL, '{Hourly,Daily,Weekly,Monthly,Quarterly,"Semi-Annual",Annual,"Full Period",Transactional,Custom}', NULL, NULL),
		('ContractCommitment', 'ContractCommitmentId', 'String', 'Mandatory', false, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentLastUpdated', 'DateTime', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentLifecycleStatus', 'String', 'Mandatory', false, '1.4', NULL, '{Proposed,Pending,Active,Exhausted,Expired,Canceled,Superseded}', NULL, NULL),
		('ContractCommitment', 'ContractCommitmentModel', 'String', 'Mandatory', false, '1.4', NULL, '{Continuous,Discontinuous}', NULL, NULL),
		('ContractCommitment', 'ContractCommitmentOfferCategory', 'String', 'Mandatory', false, '1.4', NULL, '{Negotiated,Public}', NULL, NULL),
		('ContractCommitment', 'ContractCommitmentPaymentInterval', 'String', 'Mandatory', false, '1.4', NULL, '{"One-Time",Monthly,Quarterly,"Semi-Annual",Annual,Custom}', NULL, NULL),
		('ContractCommitment', 'ContractCommitmentPaymentModel', 'String', 'Mandatory', false, '1.4', NULL, '{"No Upfront","Partial Upfront","All Upfront"}', NULL, NULL),
		('ContractCommitment', 'ContractCommitmentPaymentUpfrontPercentage', 'Numeric', 'Conditional', false, '1.4', NULL, NULL, 0, 1),
		('ContractCommitment', 'ContractCommitmentPeriodEnd', 'DateTime', 'Mandatory', false, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentPeriodStart', 'DateTime', 'Mandatory', false, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentQuantity', 'Numeric', 'Mandatory', true, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentType', 'String', 'Mandatory', false, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractCommitmentUnit', 'Unit', 'Mandatory', true, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractId', 'String', 'Mandatory', false, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractPeriodEnd', 'DateTime', 'Mandatory', false, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ContractPeriodStart', 'DateTime', 'Mandatory', false, '1.3', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'InvoiceIssuerName', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'PricingCurrency', 'String', 'Conditional', false, '1.4', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'PricingCurrencyContractCommitmentCost', 'Numeric', 'Conditional', true, '1.4', NULL, NULL, NULL, NULL),
		('ContractCommitment', 'ServiceProviderName', 'String', 'Mandatory', false, '1.4', NULL, NULL, NULL, NULL)
	) AS v (dataset, column_name, format, level, nullable, introduced, removed, allowed, minimum, maximum);
END;
COMMENT ON FUNCTION focus_columns() IS
'The columns of FOCUS: format (String, Numeric, DateTime, Currency, Unit, KeyValue, JsonObject), level (Mandatory, Recommended, Conditional), whether it may be null, the versions that brought it (1.0 also for those older than that) and took it away, allowed values, least and greatest value; NULL for no limit.';

CREATE FUNCTION focus_services()
	RETURNS TABLE (category text, subcategories text[])
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT v.category, v.subcategories::text[]
	FROM (VALUES
		('AI and Machine Learning', '{"AI Platforms",Bots,"Generative AI","Machine Learning","Natural Language Processing","Other (AI and Machine Learning)"}'),
		('Analytics', '{"Analytics Platforms","Business Intelligence","Data Processing","Other (Analytics)",Search,"Streaming Analytics"}'),
		('Business Applications', '{"Other (Business Applications)","Productivity and Collaboration"}'),
		('Compute', '{Containers,"End User Computing","Other (Compute)","Quantum Compute","Serverless Compute","Virtual Machines"}'),
		('Databases', '{Caching,"Data Warehouses","Ledger Databases","NoSQL Databases","Other (Databases)","Relational Databases","Time Series Databases"}'),
		('Developer Tools', '{"Continuous Integration and Deployment","Developer Platforms","Development Environments","Other (Developer Tools)","Quality Assurance","Source Code Management"}'),
		('Identity', '{"Identity and Access Management","Other (Identity)"}'),
		('Integration', '{"API Management",Messaging,"Other (Integration)","Workflow Orchestration"}'),
		('Internet of Things', '{"IoT Analytics","IoT Platforms","Other (Internet of Things)"}'),
		('Management and Governance', '{Architecture,Compliance,"Cost Management","Data Governance","Disaster Recovery","Endpoint Management",Observability,"Other (Management and Governance)",Support}'),
		('Media', '{"Content Creation",Gaming,"Media Streaming","Mixed Reality","Other (Media)"}'),
		('Migration', '{"Data Migration","Other (Migration)","Resource Migration"}'),
		('Mobile', '{"Other (Mobile)"}'),
		('Multicloud', '{"Multicloud Integration","Other (Multicloud)"}'),
		('Networking', '{"Application Networking","Content Delivery","Network Connectivity","Network Infrastructure","Network Routing","Network Security","Other (Networking)"}'),
		('Other', '{"Other (Other)"}'),
		('Security', '{"Other (Security)","Secret Management","Security Posture Management","Threat Detection and Response"}'),
		('Storage', '{"Backup Storage","Block Storage","File Storage","Object Storage","Other (Storage)","Storage Platforms"}'),
		('Web', '{"Application Platforms","Other (Web)"}')
	) AS v (category, subcategories);
END;
COMMENT ON FUNCTION focus_services() IS 'The values of ServiceCategory in FOCUS, each with the values of ServiceSubcategory that belong to it.';

-- Rules of more than one column, or more than one row. Those with -C- and -A-
-- have their identifiers from the requirements model of FOCUS 1.2; it has some
-- of them twice.
CREATE FUNCTION focus_rules()
	RETURNS TABLE (dataset focus_dataset, rule text, columns text[], requirement text, same_as text[])
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT v.dataset::focus_dataset, v.rule, v.columns::text[], v.requirement, v.same_as::text[]
	FROM (VALUES
		('CostAndUsage', 'ListUnitPrice-C-004-C', '{ListUnitPrice,ChargeCategory}', 'must be null when ChargeCategory is Tax', NULL),
		('CostAndUsage', 'ListUnitPrice-C-005-C', '{ListUnitPrice,ChargeCategory}', 'must not be null when ChargeCategory is Usage or Purchase and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'ContractedUnitPrice-C-005-C', '{ContractedUnitPrice,ChargeCategory}', 'must be null when ChargeCategory is Tax', NULL),
		('CostAndUsage', 'ContractedUnitPrice-C-006-C', '{ContractedUnitPrice,ChargeCategory}', 'must not be null when ChargeCategory is Usage or Purchase and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'PricingQuantity-C-004-C', '{PricingQuantity,ChargeCategory}', 'must be null when ChargeCategory is Tax', NULL),
		('CostAndUsage', 'PricingQuantity-C-005-C', '{PricingQuantity,ChargeCategory}', 'must not be null when ChargeCategory is Usage or Purchase and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'PricingCategory-C-003-C', '{PricingCategory,ChargeCategory}', 'must be null when ChargeCategory is Tax', NULL),
		('CostAndUsage', 'PricingCategory-C-004-C', '{PricingCategory,ChargeCategory}', 'must not be null when ChargeCategory is Usage or Purchase and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'PricingCurrencyListUnitPrice-C-004-C', '{PricingCurrencyListUnitPrice,ChargeCategory}', 'must be null when ChargeCategory is Tax', NULL),
		('CostAndUsage', 'PricingCurrencyListUnitPrice-C-005-C', '{PricingCurrencyListUnitPrice,ChargeCategory}', 'must not be null when ChargeCategory is Usage or Purchase and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'PricingCurrencyContractedUnitPrice-C-004-C', '{PricingCurrencyContractedUnitPrice,ChargeCategory}', 'must be null when ChargeCategory is Tax', NULL),
		('CostAndUsage', 'PricingCurrencyContractedUnitPrice-C-005-C', '{PricingCurrencyContractedUnitPrice,ChargeCategory}', 'must not be null when ChargeCategory is Usage or Purchase and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'SkuId-C-004-C', '{SkuId,ChargeCategory}', 'must be null when ChargeCategory is Tax', NULL),
		('CostAndUsage', 'SkuId-C-005-C', '{SkuId,ChargeCategory}', 'must not be null when ChargeCategory is Usage or Purchase and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'SkuPriceId-C-004-C', '{SkuPriceId,ChargeCategory}', 'must be null when ChargeCategory is Tax', NULL),
		('CostAndUsage', 'SkuPriceId-C-005-C', '{SkuPriceId,ChargeCategory}', 'must not be null when ChargeCategory is Usage or Purchase and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'ListCost-C-009-C', '{ListCost,ListUnitPrice,PricingQuantity}', 'must be ListUnitPrice times PricingQuantity unless ChargeClass is Correction', '{ListUnitPrice-C-010-C,PricingQuantity-C-009-C}'),
		('CostAndUsage', 'ContractedCost-C-009-C', '{ContractedCost,ContractedUnitPrice,PricingQuantity}', 'must be ContractedUnitPrice times PricingQuantity unless ChargeClass is Correction', '{ContractedUnitPrice-C-011-C,PricingQuantity-C-009-C}'),
		('CostAndUsage', 'ListCost-C-008-C', '{ListCost,BilledCost,ChargeCategory}', 'must be BilledCost when ChargeCategory is Credit', NULL),
		('CostAndUsage', 'ContractedCost-C-008-C', '{ContractedCost,BilledCost,ChargeCategory}', 'must be BilledCost when ChargeCategory is Credit', NULL),
		('CostAndUsage', 'EffectiveCost-C-010-C', '{EffectiveCost,BilledCost,ChargeCategory}', 'must be BilledCost when ChargeCategory is Credit', NULL),
		('CostAndUsage', 'EffectiveCost-C-005-C', '{EffectiveCost,ChargeCategory,CommitmentDiscountId}', 'must be 0 when ChargeCategory is Purchase and CommitmentDiscountId is not null', NULL),
		('CostAndUsage', 'DiscountHandling-A-009-C', '{BilledCost,ChargeCategory,CommitmentDiscountStatus}', 'must be 0 when a commitment covers the charge', NULL),
		('CostAndUsage', 'PricingUnit-C-005-C', '{PricingUnit,PricingQuantity}', 'must be null when PricingQuantity is null', NULL),
		('CostAndUsage', 'PricingUnit-C-006-C', '{PricingUnit,PricingQuantity}', 'must not be null when PricingQuantity is not null', NULL),
		('CostAndUsage', 'ConsumedUnit-C-005-C', '{ConsumedUnit,ConsumedQuantity}', 'must be null when ConsumedQuantity is null', NULL),
		('CostAndUsage', 'ConsumedUnit-C-006-C', '{ConsumedUnit,ConsumedQuantity}', 'must not be null when ConsumedQuantity is not null', NULL),
		('CostAndUsage', 'CommitmentDiscountUnit-C-005-C', '{CommitmentDiscountUnit,CommitmentDiscountQuantity}', 'must be null when CommitmentDiscountQuantity is null', NULL),
		('CostAndUsage', 'CommitmentDiscountUnit-C-006-C', '{CommitmentDiscountUnit,CommitmentDiscountQuantity}', 'must not be null when CommitmentDiscountQuantity is not null', NULL),
		('CostAndUsage', 'CommitmentDiscountCategory-C-003-C', '{CommitmentDiscountCategory,CommitmentDiscountId}', 'must be null when CommitmentDiscountId is null', NULL),
		('CostAndUsage', 'CommitmentDiscountCategory-C-004-C', '{CommitmentDiscountCategory,CommitmentDiscountId}', 'must not be null when CommitmentDiscountId is not null', NULL),
		('CostAndUsage', 'CommitmentDiscountType-C-004-C', '{CommitmentDiscountType,CommitmentDiscountId}', 'must be null when CommitmentDiscountId is null', NULL),
		('CostAndUsage', 'CommitmentDiscountType-C-005-C', '{CommitmentDiscountType,CommitmentDiscountId}', 'must not be null when CommitmentDiscountId is not null', NULL),
		('CostAndUsage', 'CommitmentDiscountName-C-004-C', '{CommitmentDiscountName,CommitmentDiscountId}', 'must be null when CommitmentDiscountId is null', NULL),
		('CostAndUsage', 'SubAccountName-C-004-C', '{SubAccountName,SubAccountId}', 'must be null when SubAccountId is null', NULL),
		('CostAndUsage', 'SubAccountName-C-005-C', '{SubAccountName,SubAccountId}', 'must not be null when SubAccountId is not null', NULL),
		('CostAndUsage', 'SubAccountType-C-004-C', '{SubAccountType,SubAccountId}', 'must be null when SubAccountId is null', NULL),
		('CostAndUsage', 'SubAccountType-C-005-C', '{SubAccountType,SubAccountId}', 'must not be null when SubAccountId is not null', NULL),
		('CostAndUsage', 'RegionName-C-004-C', '{RegionName,RegionId}', 'must be null when RegionId is null', NULL),
		('CostAndUsage', 'RegionName-C-005-C', '{RegionName,RegionId}', 'must not be null when RegionId is not null', NULL),
		('CostAndUsage', 'ResourceName-C-004-C', '{ResourceName,ResourceId}', 'must be null when ResourceId is null', NULL),
		('CostAndUsage', 'ResourceType-C-004-C', '{ResourceType,ResourceId}', 'must be null when ResourceId is null', NULL),
		('CostAndUsage', 'ResourceType-C-005-C', '{ResourceType,ResourceId}', 'must not be null when ResourceId is not null', NULL),
		('CostAndUsage', 'SkuMeter-C-004-C', '{SkuMeter,SkuId}', 'must be null when SkuId is null', NULL),
		('CostAndUsage', 'SkuPriceDetails-C-004-C', '{SkuPriceDetails,SkuPriceId}', 'must be null when SkuPriceId is null', NULL),
		('CostAndUsage', 'CommitmentDiscountStatus-C-003-C', '{CommitmentDiscountStatus,CommitmentDiscountId}', 'must be null when CommitmentDiscountId is null', NULL),
		('CostAndUsage', 'CapacityReservationStatus-C-003-C', '{CapacityReservationStatus,CapacityReservationId}', 'must be null when CapacityReservationId is null', NULL),
		('CostAndUsage', 'CommitmentDiscountStatus-C-004-C', '{CommitmentDiscountStatus,CommitmentDiscountId,ChargeCategory}', 'must not be null when CommitmentDiscountId is not null and ChargeCategory is Usage', NULL),
		('CostAndUsage', 'CapacityReservationStatus-C-004-C', '{CapacityReservationStatus,CapacityReservationId,ChargeCategory}', 'must not be null when CapacityReservationId is not null and ChargeCategory is Usage', NULL),
		('CostAndUsage', 'ConsumedQuantity-C-004-C', '{ConsumedQuantity,ChargeCategory}', 'must be null unless ChargeCategory is Usage and CommitmentDiscountStatus is not Unused', NULL),
		('CostAndUsage', 'ConsumedQuantity-C-006-C', '{ConsumedQuantity,ChargeCategory}', 'must not be null when ChargeCategory is Usage, CommitmentDiscountStatus is not Unused and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'CommitmentDiscountQuantity-C-005-C', '{CommitmentDiscountQuantity,CommitmentDiscountId,ChargeCategory}', 'must not be null when ChargeCategory is Usage or Purchase, CommitmentDiscountId is not null and ChargeClass is not Correction', NULL),
		('CostAndUsage', 'CommitmentDiscountQuantity-C-007-C', '{CommitmentDiscountQuantity,CommitmentDiscountId,ChargeCategory}', 'must be null unless ChargeCategory is Usage or Purchase and CommitmentDiscountId is not null', NULL),
		('CostAndUsage', 'ChargeFrequency-C-004-C', '{ChargeFrequency,ChargeCategory}', 'must not be Usage-Based when ChargeCategory is Purchase', NULL),
		('CostAndUsage', 'ChargeClass-C-003-C', '{ChargeClass,ChargePeriodStart,BillingPeriodStart}', 'must be null unless the charge period began in an earlier billing period', NULL),
		('CostAndUsage', 'BillingPeriodEnd-C-004-M', '{BillingPeriodEnd,BillingPeriodStart}', 'must be after BillingPeriodStart', NULL),
		('CostAndUsage', 'ChargePeriodEnd-C-004-M', '{ChargePeriodEnd,ChargePeriodStart}', 'must be after ChargePeriodStart', NULL),
		('CostAndUsage', 'ServiceSubcategory-C-003-M', '{ServiceSubcategory}', 'must be one of focus_services()', NULL),
		('CostAndUsage', 'ServiceSubcategory-C-004-M', '{ServiceSubcategory,ServiceCategory}', 'must be one of those of ServiceCategory', NULL),
		('CostAndUsage', 'SkuPriceId-C-008-M', '{SkuPriceId,SkuId}', 'must have one SkuId', NULL),
		('CostAndUsage', 'ServiceName-C-005-C', '{ServiceName,ServiceCategory}', 'must have one ServiceCategory', NULL),
		('CostAndUsage', 'DiscountHandling-A-011-C', '{EffectiveCost,BilledCost,CommitmentDiscountId,CommitmentDiscountStatus,ChargeCategory,ChargePeriodStart,ChargePeriodEnd}', 'of what a commitment was used for, and of what was not used, must sum to the BilledCost of its purchase, over its term', NULL),
		('CostAndUsage', 'AllocatedMethodDetails-Elements', '{AllocatedMethodDetails}', 'must have Elements, each with an AllocatedRatio from 0 to 1', NULL),
		('CostAndUsage', 'AllocatedMethodDetails-Ratio', '{AllocatedMethodDetails,AllocatedMethodId}', 'must have an AllocatedRatio that sums to 1 over all rows that one charge was split into', NULL),
		('CostAndUsage', 'ContractApplied-Elements', '{ContractApplied}', 'must have Elements, each with a ContractId, a ContractCommitmentId and either a cost or a quantity with its unit', NULL),
		('InvoiceDetail', 'InvoiceDetailId-Unique', '{InvoiceDetailId}', 'must be unique', NULL),
		('InvoiceDetail', 'InvoiceIssueDate-Issued', '{InvoiceIssueDate,InvoiceIssueStatus}', 'must not be null when InvoiceIssueStatus is Issued', NULL),
		('InvoiceDetail', 'BillingPeriodEnd-C-004-M', '{BillingPeriodEnd,BillingPeriodStart}', 'must be after BillingPeriodStart', NULL),
		('InvoiceDetail', 'InvoiceDetailLastUpdated-Created', '{InvoiceDetailLastUpdated,InvoiceDetailCreated}', 'must not be before InvoiceDetailCreated', NULL),
		('InvoiceDetail', 'RoundingVarianceTolerance', '{BilledCost,InvoiceId}', 'of an issued invoice must be that of its charges within focus_rounding_tolerance()', NULL),
		('BillingPeriod', 'BillingPeriodEnd-C-004-M', '{BillingPeriodEnd,BillingPeriodStart}', 'must be after BillingPeriodStart', NULL),
		('BillingPeriod', 'BillingPeriodLastUpdated-Created', '{BillingPeriodLastUpdated,BillingPeriodCreated}', 'must not be before BillingPeriodCreated', NULL),
		('BillingPeriod', 'BillingPeriodStart-Unique', '{BillingPeriodStart,BillingPeriodEnd,InvoiceIssuerName}', 'must be unique with BillingPeriodEnd and InvoiceIssuerName', NULL),
		('ContractCommitment', 'ContractCommitmentPeriodEnd-Start', '{ContractCommitmentPeriodEnd,ContractCommitmentPeriodStart}', 'must be after ContractCommitmentPeriodStart', NULL),
		('ContractCommitment', 'ContractPeriodEnd-Start', '{ContractPeriodEnd,ContractPeriodStart}', 'must be after ContractPeriodStart', NULL),
		('ContractCommitment', 'ContractCommitmentCost-Spend', '{ContractCommitmentCost,ContractCommitmentCategory}', 'must not be null when ContractCommitmentCategory is Spend', NULL),
		('ContractCommitment', 'ContractCommitmentQuantity-Usage', '{ContractCommitmentQuantity,ContractCommitmentCategory}', 'must not be null when ContractCommitmentCategory is Usage', NULL),
		('ContractCommitment', 'ContractCommitmentUnit-Quantity', '{ContractCommitmentUnit,ContractCommitmentQuantity}', 'must be null exactly when ContractCommitmentQuantity is', NULL),
		('ContractCommitment', 'ContractCommitmentLastUpdated-Created', '{ContractCommitmentLastUpdated,ContractCommitmentCreated}', 'must not be before ContractCommitmentCreated', NULL)
	) AS v (dataset, rule, columns, requirement, same_as);
END;
COMMENT ON FUNCTION focus_rules() IS
'The rules of FOCUS between columns and rows that focus_violations() checks where a table has all these columns: the first one is what the requirement is of. Those with -C- and -A- have their identifiers from the requirements model of FOCUS 1.2; same_as are its identifiers for the same requirement.';

CREATE FUNCTION focus_rounding_tolerance(rows bigint, subunit numeric) RETURNS numeric
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN greatest(100 * subunit, 0.5 * sqrt(rows::numeric) * subunit);
COMMENT ON FUNCTION focus_rounding_tolerance(bigint, numeric) IS
'How much the details of an issued invoice may differ from the sum of its so many rows of Cost and Usage: the larger of 100 subunits of the currency and half the square root of rows times the subunit. (FOCUS 1.4, rounding variance tolerance.)';

-- ----------
-- What we billed
-- ----------
CREATE FUNCTION focus_date_time(instant timestamptz, after boolean DEFAULT false) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_char(date_trunc('second', timezone('UTC', instant) + CASE WHEN after THEN interval '0.999999 s' ELSE interval '0' END),
	'YYYY-MM-DD"T"HH24:MI:SS"Z"');
COMMENT ON FUNCTION focus_date_time(timestamptz, boolean) IS
'An instant as FOCUS writes it, 2026-01-31T00:00:00Z, which has no fractions of a second: the second that it is in or, with after, the first that does not begin before it.';

CREATE VIEW focus_cost_and_usage WITH (security_invoker) AS
	SELECT c.billed_cost AS "BilledCost",
		c.consumer_id::text AS "BillingAccountId",
		b.name AS "BillingAccountName",
		b.kind AS "BillingAccountType",
		p.currency AS "BillingCurrency",
		focus_date_time(upper(t.during), true) AS "BillingPeriodEnd",
		focus_date_time(lower(t.during)) AS "BillingPeriodStart",
		initcap(c.category) AS "ChargeCategory",
		CASE WHEN c.correction THEN 'Correction' END AS "ChargeClass",
		concat_ws(' ', c.meter, nullif(c.component, 'quantity'), c.commitment_status, 'of', p.name) AS "ChargeDescription",
		CASE WHEN c.category = 'purchase' THEN 'One-Time'
			WHEN c.component IN ('flat', 'minimum', 'maximum') THEN 'Recurring' ELSE 'Usage-Based' END AS "ChargeFrequency",
		focus_date_time(upper(m.period) + CASE WHEN upper_inc(m.period) THEN interval '1 microsecond' ELSE interval '0' END, true) AS "ChargePeriodEnd",
		focus_date_time(lower(m.period)) AS "ChargePeriodStart",
		CASE WHEN m.commitment_id IS NOT NULL THEN CASE r.model WHEN 'spend' THEN 'Spend' ELSE 'Usage' END END AS "CommitmentDiscountCategory",
		m.commitment_id AS "CommitmentDiscountId",
		CASE WHEN m.commitment_id IS NOT NULL THEN concat_ws(' ', r.model, r.meter, 'of', p.name) END AS "CommitmentDiscountName",
		CASE WHEN m.commitment_id IS NULL THEN NULL
			WHEN r.model = 'spend' THEN CASE WHEN c.category = 'purchase' THEN r.purchase ELSE c.effective_cost END
			WHEN c.category = 'purchase' THEN r.quantity ELSE c.quantity END AS "CommitmentDiscountQuantity",
		CASE WHEN m.commitment_id IS NOT NULL THEN initcap(c.commitment_status) END AS "CommitmentDiscountStatus",
		CASE WHEN m.commitment_id IS NOT NULL THEN r.model END AS "CommitmentDiscountType",
		CASE WHEN m.commitment_id IS NULL THEN NULL WHEN r.model = 'spend' THEN p.currency ELSE r.unit END AS "CommitmentDiscountUnit",
		CASE WHEN c.category = 'usage' AND c.commitment_status IS DISTINCT FROM 'unused' THEN c.quantity END AS "ConsumedQuantity",
		CASE WHEN c.category = 'usage' AND c.commitment_status IS DISTINCT FROM 'unused' THEN c.unit END AS "ConsumedUnit",
		c.contracted_cost AS "ContractedCost",
		m.sign * c.contracted_unit_price AS "ContractedUnitPrice",
		c.effective_cost AS "EffectiveCost",
		v.name AS "HostProviderName",
		concat_ws('/', c.pool_id, c.billing_period_id, c.consumer_id, c.category, c.meter, m.reference_id) AS "InvoiceDetailId",
		concat_ws('/', c.pool_id, c.billing_period_id, c.consumer_id) AS "InvoiceId",
		s.name AS "InvoiceIssuerName",
		c.list_cost AS "ListCost",
		m.sign * c.list_unit_price AS "ListUnitPrice",
		CASE WHEN m.sign IS NULL THEN NULL WHEN c.commitment_status IS NOT NULL THEN 'Committed'
			WHEN r.schedule IS NOT NULL THEN 'Dynamic' ELSE 'Standard' END AS "PricingCategory",
		m.sign * c.quantity AS "PricingQuantity",
		CASE WHEN m.sign IS NOT NULL THEN c.unit END AS "PricingUnit",
		CASE WHEN c.lease_id IS NOT NULL THEN concat_ws('/', c.pool_id, 'lease', c.lease_id) ELSE m.commitment_id END AS "ResourceId",
		l.reference AS "ResourceName",
		CASE WHEN c.lease_id IS NOT NULL THEN 'Lease' WHEN m.commitment_id IS NOT NULL THEN 'Commitment' END AS "ResourceType",
		CASE p.kind WHEN 'compute' THEN 'Compute' WHEN 'data' THEN 'Storage' ELSE 'AI and Machine Learning' END AS "ServiceCategory",
		p.name AS "ServiceName",
		s.name AS "ServiceProviderName",
		CASE p.kind WHEN 'compute' THEN 'Other (Compute)' WHEN 'data' THEN 'Other (Storage)' ELSE 'Machine Learning' END AS "ServiceSubcategory",
		CASE WHEN m.sign IS NOT NULL THEN concat_ws('/', c.pool_id, c.meter) END AS "SkuId",
		CASE WHEN m.sign IS NOT NULL THEN c.meter END AS "SkuMeter",
		CASE WHEN m.sign IS NOT NULL THEN jsonb_build_object('x_Component', c.component, 'x_Model', coalesce(r.model, 'standard')) END AS "SkuPriceDetails",
		CASE WHEN m.sign IS NOT NULL THEN concat_ws('/', c.pool_id, c.meter, coalesce(c.rate_id::text, 'quoted')) END AS "SkuPriceId",
		(SELECT jsonb_object_agg(e.key, CASE WHEN jsonb_typeof(e.value) IN ('object', 'array') THEN to_jsonb(e.value::text) ELSE e.value END)
			FROM jsonb_each(c.labels) AS e) AS "Tags",
		c.charge_id AS "x_ChargeId",
		c.amount AS "x_InvoicedCost",
		t.closed_at AS "x_InvoiceIssueDate",
		concat_ws('/', c.pool_id, coalesce(m.reference_id, c.billing_period_id), c.consumer_id) AS "x_ReferenceInvoiceId"
	FROM charge AS c
	JOIN pool AS p ON p.pool_id = c.pool_id
	JOIN party AS s ON s.party_id = p.steward_id
	JOIN party AS b ON b.party_id = c.consumer_id
	JOIN billing_period AS t ON t.pool_id = c.pool_id AND t.billing_period_id = c.billing_period_id
	LEFT JOIN party AS v ON v.party_id = c.provider_id
	LEFT JOIN rate AS r ON r.pool_id = c.pool_id AND r.rate_id = c.rate_id
	LEFT JOIN lease AS l ON l.pool_id = c.pool_id AND l.lease_id = c.lease_id
	CROSS JOIN LATERAL (
		-- unit prices are never negative, quantities may be; what is no sale has neither
		SELECT CASE WHEN c.category IN ('usage', 'purchase') THEN
				CASE WHEN least(c.list_unit_price, c.contracted_unit_price) < 0 THEN -1 ELSE 1 END END AS sign,
			CASE WHEN r.purchase IS NOT NULL AND (c.commitment_status IS NOT NULL OR c.category = 'purchase')
				THEN concat_ws('/', c.pool_id, 'commitment', c.rate_id) END AS commitment_id,
			-- what is bought is bought for all its term
			CASE WHEN c.category = 'purchase' AND r.purchase IS NOT NULL THEN r.valid ELSE c.during END AS period,
			CASE WHEN c.correction THEN (
				SELECT o.billing_period_id FROM billing_period AS o WHERE o.pool_id = c.pool_id AND o.during @> lower(c.during)
			) END AS reference_id
		OFFSET 0
	) AS m;
ALTER VIEW focus_cost_and_usage OWNER TO @extowner@;
COMMENT ON VIEW focus_cost_and_usage IS 'The charges of closed billing periods as FOCUS 1.4 Cost and Usage; focus_violations() finds nothing in it.';
COMMENT ON COLUMN focus_cost_and_usage."BilledCost" IS 'What is billed, exactly: charge.billed_cost.';
COMMENT ON COLUMN focus_cost_and_usage."BillingAccountId" IS 'The consumer: party.party_id.';
COMMENT ON COLUMN focus_cost_and_usage."BillingAccountName" IS 'Name of the consumer.';
COMMENT ON COLUMN focus_cost_and_usage."BillingAccountType" IS 'organization, person or bot.';
COMMENT ON COLUMN focus_cost_and_usage."BillingCurrency" IS 'Currency of the pool. FOCUS wants one of ISO 4217; a pool that counts in credits of its own has none.';
COMMENT ON COLUMN focus_cost_and_usage."BillingPeriodEnd" IS 'End of the billing period, itself not included.';
COMMENT ON COLUMN focus_cost_and_usage."BillingPeriodStart" IS 'Start of the billing period.';
COMMENT ON COLUMN focus_cost_and_usage."ChargeCategory" IS 'Usage, Purchase, Credit or Adjustment.';
COMMENT ON COLUMN focus_cost_and_usage."ChargeClass" IS 'Correction, if it corrects what an earlier billing period has billed.';
COMMENT ON COLUMN focus_cost_and_usage."ChargeDescription" IS 'What it is for.';
COMMENT ON COLUMN focus_cost_and_usage."ChargeFrequency" IS 'One-Time for a purchase, Recurring for what is due for each billing period, Usage-Based for all else.';
COMMENT ON COLUMN focus_cost_and_usage."ChargePeriodEnd" IS 'End of the time that it is for (of a purchase, all its term), itself not included.';
COMMENT ON COLUMN focus_cost_and_usage."ChargePeriodStart" IS 'Start of the time that it is for; of a correction, that of what it corrects.';
COMMENT ON COLUMN focus_cost_and_usage."CommitmentDiscountCategory" IS 'Spend or Usage, if it is about a commitment.';
COMMENT ON COLUMN focus_cost_and_usage."CommitmentDiscountId" IS 'The commitment: key of its rate.';
COMMENT ON COLUMN focus_cost_and_usage."CommitmentDiscountName" IS 'What the commitment is for.';
COMMENT ON COLUMN focus_cost_and_usage."CommitmentDiscountQuantity" IS 'How much of the commitment was bought, used or not used.';
COMMENT ON COLUMN focus_cost_and_usage."CommitmentDiscountStatus" IS 'Used or Unused.';
COMMENT ON COLUMN focus_cost_and_usage."CommitmentDiscountType" IS 'Model of the commitment: reserved, spend or prepaid.';
COMMENT ON COLUMN focus_cost_and_usage."CommitmentDiscountUnit" IS 'What that quantity counts; of a commitment to spend, the currency.';
COMMENT ON COLUMN focus_cost_and_usage."ConsumedQuantity" IS 'How much was used.';
COMMENT ON COLUMN focus_cost_and_usage."ConsumedUnit" IS 'What that counts.';
COMMENT ON COLUMN focus_cost_and_usage."ContractedCost" IS 'ContractedUnitPrice times PricingQuantity.';
COMMENT ON COLUMN focus_cost_and_usage."ContractedUnitPrice" IS 'The consumer''s price of a unit; NULL for credits and adjustments.';
COMMENT ON COLUMN focus_cost_and_usage."EffectiveCost" IS 'What it costs with what was paid for a commitment spread over its time.';
COMMENT ON COLUMN focus_cost_and_usage."HostProviderName" IS 'Whose supply it was; NULL for whoever supplied then.';
COMMENT ON COLUMN focus_cost_and_usage."InvoiceDetailId" IS 'The line of the invoice: of a pool, period, consumer, category and meter, and of the period corrected.';
COMMENT ON COLUMN focus_cost_and_usage."InvoiceId" IS 'The invoice: of a pool, period and consumer.';
COMMENT ON COLUMN focus_cost_and_usage."InvoiceIssuerName" IS 'The steward of the pool.';
COMMENT ON COLUMN focus_cost_and_usage."ListCost" IS 'ListUnitPrice times PricingQuantity.';
COMMENT ON COLUMN focus_cost_and_usage."ListUnitPrice" IS 'List price of a unit; NULL for credits and adjustments.';
COMMENT ON COLUMN focus_cost_and_usage."PricingCategory" IS 'Committed, Dynamic (by a schedule) or Standard.';
COMMENT ON COLUMN focus_cost_and_usage."PricingQuantity" IS 'How much is priced; negative for less than was billed, or where a price is below 0.';
COMMENT ON COLUMN focus_cost_and_usage."PricingUnit" IS 'What that counts.';
COMMENT ON COLUMN focus_cost_and_usage."ResourceId" IS 'The lease, or the commitment.';
COMMENT ON COLUMN focus_cost_and_usage."ResourceName" IS 'What the lease is called elsewhere.';
COMMENT ON COLUMN focus_cost_and_usage."ResourceType" IS 'Lease or Commitment.';
COMMENT ON COLUMN focus_cost_and_usage."ServiceCategory" IS 'By the kind of the pool: Compute, Storage (data), AI and Machine Learning (model).';
COMMENT ON COLUMN focus_cost_and_usage."ServiceName" IS 'The pool.';
COMMENT ON COLUMN focus_cost_and_usage."ServiceProviderName" IS 'The steward of the pool.';
COMMENT ON COLUMN focus_cost_and_usage."ServiceSubcategory" IS 'Other (Compute), Other (Storage) or Machine Learning.';
COMMENT ON COLUMN focus_cost_and_usage."SkuId" IS 'What is sold: a meter of the pool.';
COMMENT ON COLUMN focus_cost_and_usage."SkuMeter" IS 'The meter; lease for what is leased itself.';
COMMENT ON COLUMN focus_cost_and_usage."SkuPriceDetails" IS 'x_Component: which part of the price it is; x_Model: how the rate reckons.';
COMMENT ON COLUMN focus_cost_and_usage."SkuPriceId" IS 'The rate, or that a lease was quoted its price.';
COMMENT ON COLUMN focus_cost_and_usage."Tags" IS 'Labels of the usage; what is no single value in them is JSON as text.';
COMMENT ON COLUMN focus_cost_and_usage."x_ChargeId" IS 'charge.charge_id, within the pool.';
COMMENT ON COLUMN focus_cost_and_usage."x_InvoicedCost" IS 'What of it the invoice has: charge.amount, which is rounded.';
COMMENT ON COLUMN focus_cost_and_usage."x_InvoiceIssueDate" IS 'When the billing period was closed.';
COMMENT ON COLUMN focus_cost_and_usage."x_ReferenceInvoiceId" IS 'The invoice itself or, of a correction, the one that is corrected.';

CREATE VIEW focus_invoice_detail WITH (security_invoker) AS
	SELECT sum(c."x_InvoicedCost") AS "BilledCost",
		c."BillingAccountId",
		c."BillingCurrency",
		c."BillingPeriodEnd",
		c."BillingPeriodStart",
		c."ChargeCategory",
		focus_date_time(c."x_InvoiceIssueDate") AS "InvoiceDetailCreated",
		concat_ws(' ', c."SkuMeter", 'of', c."ServiceName") AS "InvoiceDetailDescription",
		jsonb_build_object('ChargeCategory', c."ChargeCategory", 'ChargeClass', c."ChargeClass", 'SkuMeter', c."SkuMeter") AS "InvoiceDetailGrain",
		c."InvoiceDetailId",
		focus_date_time(c."x_InvoiceIssueDate") AS "InvoiceDetailLastUpdated",
		c."InvoiceId",
		focus_date_time(c."x_InvoiceIssueDate") AS "InvoiceIssueDate",
		'Issued' AS "InvoiceIssueStatus",
		c."InvoiceIssuerName",
		NULL::text AS "PaymentDueDate",
		'On account' AS "PaymentTerms",
		c."x_ReferenceInvoiceId" AS "ReferenceInvoiceId"
	FROM focus_cost_and_usage AS c
	GROUP BY c."InvoiceDetailId", c."InvoiceId", c."BillingAccountId", c."BillingCurrency", c."BillingPeriodEnd", c."BillingPeriodStart",
		c."ChargeCategory", c."ChargeClass", c."SkuMeter", c."ServiceName", c."InvoiceIssuerName", c."x_InvoiceIssueDate", c."x_ReferenceInvoiceId";
ALTER VIEW focus_invoice_detail OWNER TO @extowner@;
COMMENT ON VIEW focus_invoice_detail IS 'The lines of invoices as FOCUS 1.4 Invoice Detail; they sum to the charges within rounding.';
COMMENT ON COLUMN focus_invoice_detail."BilledCost" IS 'What the invoice has: the charges, rounded so that the lines sum to its total.';
COMMENT ON COLUMN focus_invoice_detail."BillingAccountId" IS 'The consumer: party.party_id.';
COMMENT ON COLUMN focus_invoice_detail."BillingCurrency" IS 'Currency of the pool.';
COMMENT ON COLUMN focus_invoice_detail."BillingPeriodEnd" IS 'End of the billing period, itself not included.';
COMMENT ON COLUMN focus_invoice_detail."BillingPeriodStart" IS 'Start of the billing period.';
COMMENT ON COLUMN focus_invoice_detail."ChargeCategory" IS 'Usage, Purchase, Credit or Adjustment.';
COMMENT ON COLUMN focus_invoice_detail."InvoiceDetailCreated" IS 'When the billing period was closed.';
COMMENT ON COLUMN focus_invoice_detail."InvoiceDetailDescription" IS 'What it is for.';
COMMENT ON COLUMN focus_invoice_detail."InvoiceDetailGrain" IS 'What the charges of the line have in common.';
COMMENT ON COLUMN focus_invoice_detail."InvoiceDetailId" IS 'The line.';
COMMENT ON COLUMN focus_invoice_detail."InvoiceDetailLastUpdated" IS 'As InvoiceDetailCreated: an invoice never changes.';
COMMENT ON COLUMN focus_invoice_detail."InvoiceId" IS 'The invoice: of a pool, period and consumer.';
COMMENT ON COLUMN focus_invoice_detail."InvoiceIssueDate" IS 'When the billing period was closed.';
COMMENT ON COLUMN focus_invoice_detail."InvoiceIssueStatus" IS 'Issued: there are no charges before a billing period is closed.';
COMMENT ON COLUMN focus_invoice_detail."InvoiceIssuerName" IS 'The steward of the pool.';
COMMENT ON COLUMN focus_invoice_detail."PaymentDueDate" IS 'NULL: not agreed on here.';
COMMENT ON COLUMN focus_invoice_detail."PaymentTerms" IS 'On account: payments are journals of the ledger.';
COMMENT ON COLUMN focus_invoice_detail."ReferenceInvoiceId" IS 'The invoice itself or, of corrections, the one that is corrected.';

CREATE VIEW focus_billing_period WITH (security_invoker) AS
	SELECT focus_date_time(min(t.recorded_at)) AS "BillingPeriodCreated",
		focus_date_time(upper(t.during), true) AS "BillingPeriodEnd",
		focus_date_time(max(greatest(t.recorded_at, t.closed_at))) AS "BillingPeriodLastUpdated",
		focus_date_time(lower(t.during)) AS "BillingPeriodStart",
		CASE WHEN bool_and(t.closed_at IS NOT NULL) THEN 'Closed' ELSE 'Open' END AS "BillingPeriodStatus",
		s.name AS "InvoiceIssuerName"
	FROM billing_period AS t
	JOIN pool AS p ON p.pool_id = t.pool_id
	JOIN party AS s ON s.party_id = p.steward_id
	GROUP BY s.name, t.during;
ALTER VIEW focus_billing_period OWNER TO @extowner@;
COMMENT ON VIEW focus_billing_period IS 'Billing periods as FOCUS 1.4 Billing Period: those of all pools of an issuer that are the same time are one.';
COMMENT ON COLUMN focus_billing_period."BillingPeriodCreated" IS 'When the first pool of the issuer opened it.';
COMMENT ON COLUMN focus_billing_period."BillingPeriodEnd" IS 'End, itself not included.';
COMMENT ON COLUMN focus_billing_period."BillingPeriodLastUpdated" IS 'When a pool of the issuer last opened or closed it.';
COMMENT ON COLUMN focus_billing_period."BillingPeriodStart" IS 'Start.';
COMMENT ON COLUMN focus_billing_period."BillingPeriodStatus" IS 'Closed once all pools of the issuer that have it have closed it; before, Open.';
COMMENT ON COLUMN focus_billing_period."InvoiceIssuerName" IS 'The steward of the pools.';

CREATE VIEW focus_contract_commitment WITH (security_invoker) AS
	SELECT p.currency AS "BillingCurrency",
		jsonb_build_object('InclusionOperator', 'And', 'Inclusions', jsonb_build_array(
			jsonb_build_object('Dimension', 'BillingAccountId', 'Operator', 'In', 'Values', jsonb_build_array(r.party_id::text)),
			jsonb_build_object('Dimension', 'SkuId', 'Operator', 'In', 'Values', jsonb_build_array(concat_ws('/', r.pool_id, r.meter))))
		) AS "ContractCommitmentApplicability",
		CASE r.model WHEN 'prepaid' THEN 'Entitlement' ELSE 'Discount' END AS "ContractCommitmentBenefitCategory",
		CASE r.model WHEN 'spend' THEN 'Spend' ELSE 'Usage' END AS "ContractCommitmentCategory",
		r.purchase AS "ContractCommitmentCost",
		focus_date_time(lower(r.known)) AS "ContractCommitmentCreated",
		concat_ws(' ', r.model, r.meter, 'of', p.name) AS "ContractCommitmentDescription",
		NULL::numeric AS "ContractCommitmentDiscountPercentage",
		CASE WHEN d.months > 0 AND timezone('UTC', lower(r.valid)) + make_interval(months => d.months) = timezone('UTC', upper(r.valid)) THEN d.months || ' Months'
			ELSE ceil(extract(epoch FROM upper(r.valid) - lower(r.valid)) / 86400) || ' Days' END AS "ContractCommitmentDurationType",
		CASE WHEN r.model = 'reserved' AND r.meter = 'lease' THEN 'Hourly' ELSE 'Full Period' END AS "ContractCommitmentFulfillmentInterval",
		concat_ws('/', r.pool_id, 'commitment', r.rate_id) AS "ContractCommitmentId",
		focus_date_time(lower(r.known)) AS "ContractCommitmentLastUpdated",
		CASE WHEN now() < lower(r.valid) THEN 'Pending' WHEN now() < upper(r.valid) THEN 'Active' ELSE 'Expired' END AS "ContractCommitmentLifecycleStatus",
		'Continuous' AS "ContractCommitmentModel",
		'Negotiated' AS "ContractCommitmentOfferCategory",
		'One-Time' AS "ContractCommitmentPaymentInterval",
		'All Upfront' AS "ContractCommitmentPaymentModel",
		focus_date_time(upper(r.valid), true) AS "ContractCommitmentPeriodEnd",
		focus_date_time(lower(r.valid)) AS "ContractCommitmentPeriodStart",
		r.quantity AS "ContractCommitmentQuantity",
		r.model AS "ContractCommitmentType",
		CASE WHEN r.quantity IS NOT NULL THEN r.unit END AS "ContractCommitmentUnit",
		concat_ws('/', r.pool_id, 'commitment', r.rate_id) AS "ContractId",
		focus_date_time(upper(r.valid), true) AS "ContractPeriodEnd",
		focus_date_time(lower(r.valid)) AS "ContractPeriodStart",
		s.name AS "InvoiceIssuerName",
		s.name AS "ServiceProviderName",
		r.party_id::text AS "x_BillingAccountId"
	FROM rate AS r
	JOIN pool AS p ON p.pool_id = r.pool_id
	JOIN party AS s ON s.party_id = p.steward_id
	CROSS JOIN LATERAL (
		SELECT (extract(year FROM a.age) * 12 + extract(month FROM a.age))::integer AS months
		FROM age(timezone('UTC', upper(r.valid)), timezone('UTC', lower(r.valid))) AS a (age)
	) AS d
	WHERE r.purchase IS NOT NULL AND upper_inf(r.known);
ALTER VIEW focus_contract_commitment OWNER TO @extowner@;
COMMENT ON VIEW focus_contract_commitment IS 'Commitments of parties as FOCUS 1.4 Contract Commitment.';
COMMENT ON COLUMN focus_contract_commitment."BillingCurrency" IS 'Currency of the pool.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentApplicability" IS 'What it is for: usage of a meter of the pool by the party.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentBenefitCategory" IS 'Discount or, if prepaid, Entitlement.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentCategory" IS 'Spend or Usage.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentCost" IS 'What it costs for all its time.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentCreated" IS 'When it was recorded.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentDescription" IS 'What it is.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentDiscountPercentage" IS 'NULL: rates have prices, not discounts.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentDurationType" IS 'How long, in months or days.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentFulfillmentInterval" IS 'Hourly for a quantity at every instant, else Full Period.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentId" IS 'The commitment, as CommitmentDiscountId.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentLastUpdated" IS 'When it was recorded: what is known of a commitment is not changed.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentLifecycleStatus" IS 'Pending, Active or Expired: derived from the time now.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentModel" IS 'Continuous.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentOfferCategory" IS 'Negotiated: it is a party''s own rate.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentPaymentInterval" IS 'One-Time: due when it begins.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentPaymentModel" IS 'All Upfront.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentPeriodEnd" IS 'End, itself not included.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentPeriodStart" IS 'Start.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentQuantity" IS 'How many units; NULL for a commitment to spend.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentType" IS 'Model of the rate: reserved, spend or prepaid.';
COMMENT ON COLUMN focus_contract_commitment."ContractCommitmentUnit" IS 'What the quantity counts.';
COMMENT ON COLUMN focus_contract_commitment."ContractId" IS 'The contract, which is the commitment itself.';
COMMENT ON COLUMN focus_contract_commitment."ContractPeriodEnd" IS 'As ContractCommitmentPeriodEnd.';
COMMENT ON COLUMN focus_contract_commitment."ContractPeriodStart" IS 'As ContractCommitmentPeriodStart.';
COMMENT ON COLUMN focus_contract_commitment."InvoiceIssuerName" IS 'The steward of the pool.';
COMMENT ON COLUMN focus_contract_commitment."ServiceProviderName" IS 'The steward of the pool.';
COMMENT ON COLUMN focus_contract_commitment."x_BillingAccountId" IS 'The party that made it: party.party_id.';

-- ----------
-- The check
-- ----------
CREATE FUNCTION focus_rows(relation regclass, OUT row_number bigint, OUT record jsonb) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'focus_rows' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION focus_rows(regclass) IS
'The rows of a table or view as FOCUS writes them: instants as 2026-01-31T00:00:00Z, whatever the time zone of the session; numbered as they are read, which for a table that was filled by one COPY is as in the file. Reads with the rights of the caller. Errors: 22004, 42501, 42809 if it is neither table nor view.';

CREATE FUNCTION json_or_null(value text) RETURNS json
	AS 'MODULE_PATHNAME', 'json_or_null' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION json_or_null(text) IS 'The JSON that a text is; NULL if it is none, or nested more than 500 levels deep.';

CREATE FUNCTION focus_number(value text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'focus_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION focus_number(text) IS
'The number that a text is by the numeric format of FOCUS: 4, -100.2, 35.2E-7; NULL for all else (+4, 1,000, 35.2E+7), for more than 1000 characters, and for exponents of more than 4 digits.';

CREATE FUNCTION focus_instant(value text) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'focus_instant' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION focus_instant(text) IS
'The instant that a text is by the date/time format of FOCUS, 2026-01-31T00:00:00Z; NULL for all else.';

CREATE FUNCTION focus_allocated_ratio(details text) RETURNS numeric
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN count(*) = count(*) FILTER (WHERE n.ratio BETWEEN 0 AND 1) THEN sum(n.ratio) END
	FROM (SELECT json_or_null(details) -> 'Elements' AS elements) AS d,
		json_array_elements(CASE WHEN json_typeof(d.elements) = 'array' THEN d.elements ELSE '[]' END) AS e,
		LATERAL (SELECT CASE WHEN json_typeof(e -> 'AllocatedRatio') = 'number'
			THEN focus_number(translate(e ->> 'AllocatedRatio', 'e+', 'E')) END AS ratio OFFSET 0) AS n;
END;
COMMENT ON FUNCTION focus_allocated_ratio(text) IS
'The sum of AllocatedRatio over the Elements of a value of AllocatedMethodDetails; NULL if it has none, or one that is not a number from 0 to 1.';

CREATE FUNCTION focus_contract_applied(details text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(bool_and(coalesce(json_typeof(e -> 'ContractId') = 'string' AND json_typeof(e -> 'ContractCommitmentId') = 'string'
		AND CASE WHEN e ->> 'ContractCommitmentAppliedCost' IS NOT NULL
			THEN json_typeof(e -> 'ContractCommitmentAppliedCost') = 'number'
				AND e ->> 'ContractCommitmentAppliedQuantity' IS NULL AND e ->> 'ContractCommitmentAppliedUnit' IS NULL
			ELSE json_typeof(e -> 'ContractCommitmentAppliedQuantity') = 'number'
				AND json_typeof(e -> 'ContractCommitmentAppliedUnit') = 'string' END, false)), false)
	FROM (SELECT json_or_null(details) -> 'Elements' AS elements) AS d,
		json_array_elements(CASE WHEN json_typeof(d.elements) = 'array' THEN d.elements ELSE '[]' END) AS e;
END;
COMMENT ON FUNCTION focus_contract_applied(text) IS
'Whether a value of ContractApplied has Elements, each with a ContractId, a ContractCommitmentId and either a cost or a quantity with its unit.';

CREATE FUNCTION focus_violations(relation regclass, dataset focus_dataset DEFAULT 'CostAndUsage',
	version focus_version DEFAULT '1.4', complete boolean DEFAULT false, charges regclass DEFAULT NULL)
	RETURNS TABLE (row_number bigint, rule text, column_name text, message text, record jsonb)
	LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
	WITH present AS MATERIALIZED (
		SELECT coalesce(array_agg(a.attname::text), '{}') AS names
		FROM pg_attribute AS a
		WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
	), model AS MATERIALIZED (
		SELECT c.column_name, c.format, c.level, c.nullable, c.allowed, c.minimum, c.maximum,
			c.column_name = ANY (present.names) AS present
		FROM focus_columns() AS c, present
		WHERE c.dataset = coalesce(focus_violations.dataset, 'CostAndUsage')
		AND c.introduced <= coalesce(version, '1.4') AND (c.removed IS NULL OR coalesce(version, '1.4') < c.removed)
	), service AS MATERIALIZED (
		SELECT jsonb_object_agg(u.subcategory, s.category) AS categories
		FROM focus_services() AS s, unnest(s.subcategories) AS u (subcategory)
	), given AS MATERIALIZED (
		SELECT g.row_number, g.record
		FROM focus_rows(relation) AS g

	-- each column for itself
	), column_violation AS (
		SELECT g.row_number, k.rule, m.column_name, k.value
		FROM given AS g
		CROSS JOIN LATERAL jsonb_each_text(g.record) AS v (column_name, value)
		JOIN model AS m ON m.column_name = v.column_name
		CROSS JOIN LATERAL (
			SELECT v.value,
				CASE
					WHEN v.value IS NULL THEN CASE WHEN NOT m.nullable THEN 'NotNull' END
					WHEN length(v.value) < 15 AND lower(btrim(v.value)) IN ('', 'null', 'n/a', 'not applicable') THEN 'NullHandling-A-002-M'
					WHEN m.allowed IS NOT NULL THEN CASE WHEN v.value <> ALL (m.allowed) THEN 'AllowedValues' END
					WHEN m.format = 'Numeric' THEN
						CASE WHEN focus_number(v.value) IS NULL THEN 'NumericFormat-A-000-M'
							WHEN focus_number(v.value) < m.minimum OR focus_number(v.value) > m.maximum THEN 'AllowedValues' END
					WHEN m.format = 'DateTime' THEN
						CASE WHEN focus_instant(v.value) IS NULL THEN 'DateTimeFormat-A-000-M' END
					WHEN m.format = 'Currency' THEN
						CASE WHEN v.value !~ '^[A-Z]{3}$' THEN 'CurrencyFormat-A-001-C' END
					WHEN m.format IN ('KeyValue', 'JsonObject') THEN
						CASE WHEN json_typeof(json_or_null(v.value)) IS DISTINCT FROM 'object' THEN m.format || 'Format-A-001-M'
							WHEN m.format = 'KeyValue' AND (
								SELECT count(DISTINCT e.key) < count(*) OR bool_or(json_typeof(e.value) IN ('object', 'array'))
								FROM json_each(json_or_null(v.value)) AS e)
							THEN 'KeyValueFormat-A-003-M' END
				END AS rule
		) AS k
		WHERE k.rule IS NOT NULL

	-- columns of a row against each other
	), row_violation AS (
		SELECT g.row_number, u.rule
		FROM given AS g
		CROSS JOIN service AS s
		CROSS JOIN LATERAL jsonb_to_record(g.record) AS r (
				"AllocatedMethodDetails" text, "BilledCost" text, "BillingPeriodCreated" text, "BillingPeriodEnd" text,
				"BillingPeriodLastUpdated" text, "BillingPeriodStart" text, "CapacityReservationId" text,
				"CapacityReservationStatus" text, "ChargeCategory" text, "ChargeClass" text, "ChargeFrequency" text,
				"ChargePeriodEnd" text, "ChargePeriodStart" text, "CommitmentDiscountCategory" text,
				"CommitmentDiscountId" text, "CommitmentDiscountName" text, "CommitmentDiscountQuantity" text,
				"CommitmentDiscountStatus" text, "CommitmentDiscountType" text, "CommitmentDiscountUnit" text,
				"ConsumedQuantity" text, "ConsumedUnit" text, "ContractApplied" text, "ContractCommitmentCategory" text,
				"ContractCommitmentCost" text, "ContractCommitmentCreated" text, "ContractCommitmentLastUpdated" text,
				"ContractCommitmentPeriodEnd" text, "ContractCommitmentPeriodStart" text,
				"ContractCommitmentQuantity" text, "ContractCommitmentUnit" text, "ContractPeriodEnd" text,
				"ContractPeriodStart" text, "ContractedCost" text, "ContractedUnitPrice" text, "EffectiveCost" text,
				"InvoiceDetailCreated" text, "InvoiceDetailLastUpdated" text, "InvoiceIssueDate" text,
				"InvoiceIssueStatus" text, "ListCost" text, "ListUnitPrice" text, "PricingCategory" text,
				"PricingCurrencyContractedUnitPrice" text, "PricingCurrencyListUnitPrice" text, "PricingQuantity" text,
				"PricingUnit" text, "RegionId" text, "RegionName" text, "ResourceId" text, "ResourceName" text,
				"ResourceType" text, "ServiceCategory" text, "ServiceSubcategory" text, "SkuId" text, "SkuMeter" text,
				"SkuPriceDetails" text, "SkuPriceId" text, "SubAccountId" text, "SubAccountName" text,
				"SubAccountType" text
		)
		CROSS JOIN LATERAL (
			SELECT focus_number(r."BilledCost") AS billed_cost,
				focus_number(r."EffectiveCost") AS effective_cost,
				focus_number(r."ListCost") AS list_cost,
				focus_number(r."ContractedCost") AS contracted_cost,
				focus_number(r."ListUnitPrice") AS list_unit_price,
				focus_number(r."ContractedUnitPrice") AS contracted_unit_price,
				focus_number(r."PricingQuantity") AS pricing_quantity,
				focus_instant(r."BillingPeriodStart") AS billing_start,
				focus_instant(r."BillingPeriodEnd") AS billing_end,
				focus_instant(r."ChargePeriodStart") AS charge_start,
				focus_instant(r."ChargePeriodEnd") AS charge_end,
				r."ChargeClass" IS NOT DISTINCT FROM 'Correction' AS correction,
				r."ChargeCategory" = 'Tax' AS tax,
				r."ChargeCategory" IN ('Usage', 'Purchase') AND r."ChargeClass" IS DISTINCT FROM 'Correction' AS priced,
				s.categories ->> r."ServiceSubcategory" AS service_category
			OFFSET 0
		) AS d
		CROSS JOIN LATERAL unnest(ARRAY[
			CASE WHEN d.tax AND r."ListUnitPrice" IS NOT NULL THEN 'ListUnitPrice-C-004-C' END,
			CASE WHEN d.priced AND r."ListUnitPrice" IS NULL THEN 'ListUnitPrice-C-005-C' END,
			CASE WHEN d.tax AND r."ContractedUnitPrice" IS NOT NULL THEN 'ContractedUnitPrice-C-005-C' END,
			CASE WHEN d.priced AND r."ContractedUnitPrice" IS NULL THEN 'ContractedUnitPrice-C-006-C' END,
			CASE WHEN d.tax AND r."PricingQuantity" IS NOT NULL THEN 'PricingQuantity-C-004-C' END,
			CASE WHEN d.priced AND r."PricingQuantity" IS NULL THEN 'PricingQuantity-C-005-C' END,
			CASE WHEN d.tax AND r."PricingCategory" IS NOT NULL THEN 'PricingCategory-C-003-C' END,
			CASE WHEN d.priced AND r."PricingCategory" IS NULL THEN 'PricingCategory-C-004-C' END,
			CASE WHEN d.tax AND r."PricingCurrencyListUnitPrice" IS NOT NULL THEN 'PricingCurrencyListUnitPrice-C-004-C' END,
			CASE WHEN d.priced AND r."PricingCurrencyListUnitPrice" IS NULL THEN 'PricingCurrencyListUnitPrice-C-005-C' END,
			CASE WHEN d.tax AND r."PricingCurrencyContractedUnitPrice" IS NOT NULL THEN 'PricingCurrencyContractedUnitPrice-C-004-C' END,
			CASE WHEN d.priced AND r."PricingCurrencyContractedUnitPrice" IS NULL THEN 'PricingCurrencyContractedUnitPrice-C-005-C' END,
			CASE WHEN d.tax AND r."SkuId" IS NOT NULL THEN 'SkuId-C-004-C' END,
			CASE WHEN d.priced AND r."SkuId" IS NULL THEN 'SkuId-C-005-C' END,
			CASE WHEN d.tax AND r."SkuPriceId" IS NOT NULL THEN 'SkuPriceId-C-004-C' END,
			CASE WHEN d.priced AND r."SkuPriceId" IS NULL THEN 'SkuPriceId-C-005-C' END,
			CASE WHEN NOT d.correction AND d.list_cost <> d.list_unit_price * d.pricing_quantity THEN 'ListCost-C-009-C' END,
			CASE WHEN NOT d.correction AND d.contracted_cost <> d.contracted_unit_price * d.pricing_quantity THEN 'ContractedCost-C-009-C' END,
			CASE WHEN r."ChargeCategory" = 'Credit' AND d.list_cost <> d.billed_cost THEN 'ListCost-C-008-C' END,
			CASE WHEN r."ChargeCategory" = 'Credit' AND d.contracted_cost <> d.billed_cost THEN 'ContractedCost-C-008-C' END,
			CASE WHEN r."ChargeCategory" = 'Credit' AND d.effective_cost <> d.billed_cost THEN 'EffectiveCost-C-010-C' END,
			CASE WHEN r."ChargeCategory" = 'Purchase' AND r."CommitmentDiscountId" IS NOT NULL AND d.effective_cost <> 0 THEN 'EffectiveCost-C-005-C' END,
			CASE WHEN r."ChargeCategory" = 'Usage' AND r."CommitmentDiscountStatus" IS NOT NULL AND NOT d.correction AND d.billed_cost <> 0 THEN 'DiscountHandling-A-009-C' END,
			CASE WHEN r."PricingUnit" IS NOT NULL AND r."PricingQuantity" IS NULL THEN 'PricingUnit-C-005-C' END,
			CASE WHEN r."PricingUnit" IS NULL AND r."PricingQuantity" IS NOT NULL THEN 'PricingUnit-C-006-C' END,
			CASE WHEN r."ConsumedUnit" IS NOT NULL AND r."ConsumedQuantity" IS NULL THEN 'ConsumedUnit-C-005-C' END,
			CASE WHEN r."ConsumedUnit" IS NULL AND r."ConsumedQuantity" IS NOT NULL THEN 'ConsumedUnit-C-006-C' END,
			CASE WHEN r."CommitmentDiscountUnit" IS NOT NULL AND r."CommitmentDiscountQuantity" IS NULL THEN 'CommitmentDiscountUnit-C-005-C' END,
			CASE WHEN r."CommitmentDiscountUnit" IS NULL AND r."CommitmentDiscountQuantity" IS NOT NULL THEN 'CommitmentDiscountUnit-C-006-C' END,
			CASE WHEN r."CommitmentDiscountCategory" IS NOT NULL AND r."CommitmentDiscountId" IS NULL THEN 'CommitmentDiscountCategory-C-003-C' END,
			CASE WHEN r."CommitmentDiscountCategory" IS NULL AND r."CommitmentDiscountId" IS NOT NULL THEN 'CommitmentDiscountCategory-C-004-C' END,
			CASE WHEN r."CommitmentDiscountType" IS NOT NULL AND r."CommitmentDiscountId" IS NULL THEN 'CommitmentDiscountType-C-004-C' END,
			CASE WHEN r."CommitmentDiscountType" IS NULL AND r."CommitmentDiscountId" IS NOT NULL THEN 'CommitmentDiscountType-C-005-C' END,
			CASE WHEN r."CommitmentDiscountName" IS NOT NULL AND r."CommitmentDiscountId" IS NULL THEN 'CommitmentDiscountName-C-004-C' END,
			CASE WHEN r."SubAccountName" IS NOT NULL AND r."SubAccountId" IS NULL THEN 'SubAccountName-C-004-C' END,
			CASE WHEN r."SubAccountName" IS NULL AND r."SubAccountId" IS NOT NULL THEN 'SubAccountName-C-005-C' END,
			CASE WHEN r."SubAccountType" IS NOT NULL AND r."SubAccountId" IS NULL THEN 'SubAccountType-C-004-C' END,
			CASE WHEN r."SubAccountType" IS NULL AND r."SubAccountId" IS NOT NULL THEN 'SubAccountType-C-005-C' END,
			CASE WHEN r."RegionName" IS NOT NULL AND r."RegionId" IS NULL THEN 'RegionName-C-004-C' END,
			CASE WHEN r."RegionName" IS NULL AND r."RegionId" IS NOT NULL THEN 'RegionName-C-005-C' END,
			CASE WHEN r."ResourceName" IS NOT NULL AND r."ResourceId" IS NULL THEN 'ResourceName-C-004-C' END,
			CASE WHEN r."ResourceType" IS NOT NULL AND r."ResourceId" IS NULL THEN 'ResourceType-C-004-C' END,
			CASE WHEN r."ResourceType" IS NULL AND r."ResourceId" IS NOT NULL THEN 'ResourceType-C-005-C' END,
			CASE WHEN r."SkuMeter" IS NOT NULL AND r."SkuId" IS NULL THEN 'SkuMeter-C-004-C' END,
			CASE WHEN r."SkuPriceDetails" IS NOT NULL AND r."SkuPriceId" IS NULL THEN 'SkuPriceDetails-C-004-C' END,
			CASE WHEN r."CommitmentDiscountStatus" IS NOT NULL AND r."CommitmentDiscountId" IS NULL THEN 'CommitmentDiscountStatus-C-003-C' END,
			CASE WHEN r."CapacityReservationStatus" IS NOT NULL AND r."CapacityReservationId" IS NULL THEN 'CapacityReservationStatus-C-003-C' END,
			CASE WHEN r."CommitmentDiscountStatus" IS NULL AND r."CommitmentDiscountId" IS NOT NULL AND r."ChargeCategory" = 'Usage' THEN 'CommitmentDiscountStatus-C-004-C' END,
			CASE WHEN r."CapacityReservationStatus" IS NULL AND r."CapacityReservationId" IS NOT NULL AND r."ChargeCategory" = 'Usage' THEN 'CapacityReservationStatus-C-004-C' END,
			CASE WHEN r."ConsumedQuantity" IS NOT NULL AND (r."ChargeCategory" <> 'Usage' OR r."CommitmentDiscountStatus" = 'Unused') THEN 'ConsumedQuantity-C-004-C' END,
			CASE WHEN r."ConsumedQuantity" IS NULL AND r."ChargeCategory" = 'Usage' AND r."CommitmentDiscountStatus" IS DISTINCT FROM 'Unused' AND NOT d.correction THEN 'ConsumedQuantity-C-006-C' END,
			CASE WHEN d.priced AND r."CommitmentDiscountId" IS NOT NULL AND r."CommitmentDiscountQuantity" IS NULL THEN 'CommitmentDiscountQuantity-C-005-C' END,
			CASE WHEN r."CommitmentDiscountQuantity" IS NOT NULL AND (r."ChargeCategory" NOT IN ('Usage', 'Purchase') OR r."CommitmentDiscountId" IS NULL) THEN 'CommitmentDiscountQuantity-C-007-C' END,
			CASE WHEN r."ChargeCategory" = 'Purchase' AND r."ChargeFrequency" = 'Usage-Based' THEN 'ChargeFrequency-C-004-C' END,
			CASE WHEN d.correction AND d.charge_start >= d.billing_start THEN 'ChargeClass-C-003-C' END,
			CASE WHEN d.billing_start >= d.billing_end THEN 'BillingPeriodEnd-C-004-M' END,
			CASE WHEN d.charge_start >= d.charge_end THEN 'ChargePeriodEnd-C-004-M' END,
			CASE WHEN r."ServiceSubcategory" IS NOT NULL AND d.service_category IS NULL THEN 'ServiceSubcategory-C-003-M' END,
			CASE WHEN d.service_category <> r."ServiceCategory" THEN 'ServiceSubcategory-C-004-M' END,
			CASE WHEN focus_instant(r."InvoiceDetailLastUpdated") < focus_instant(r."InvoiceDetailCreated") THEN 'InvoiceDetailLastUpdated-Created' END,
			CASE WHEN focus_instant(r."BillingPeriodLastUpdated") < focus_instant(r."BillingPeriodCreated") THEN 'BillingPeriodLastUpdated-Created' END,
			CASE WHEN focus_instant(r."ContractCommitmentPeriodEnd") <= focus_instant(r."ContractCommitmentPeriodStart") THEN 'ContractCommitmentPeriodEnd-Start' END,
			CASE WHEN focus_instant(r."ContractPeriodEnd") <= focus_instant(r."ContractPeriodStart") THEN 'ContractPeriodEnd-Start' END,
			CASE WHEN focus_instant(r."ContractCommitmentLastUpdated") < focus_instant(r."ContractCommitmentCreated") THEN 'ContractCommitmentLastUpdated-Created' END,
			CASE WHEN r."InvoiceIssueDate" IS NULL AND r."InvoiceIssueStatus" = 'Issued' THEN 'InvoiceIssueDate-Issued' END,
			CASE WHEN r."ContractCommitmentCost" IS NULL AND r."ContractCommitmentCategory" = 'Spend' THEN 'ContractCommitmentCost-Spend' END,
			CASE WHEN r."ContractCommitmentQuantity" IS NULL AND r."ContractCommitmentCategory" = 'Usage' THEN 'ContractCommitmentQuantity-Usage' END,
			CASE WHEN (r."ContractCommitmentUnit" IS NULL) <> (r."ContractCommitmentQuantity" IS NULL) THEN 'ContractCommitmentUnit-Quantity' END,
			CASE WHEN json_typeof(json_or_null(r."AllocatedMethodDetails")) = 'object' AND focus_allocated_ratio(r."AllocatedMethodDetails") IS NULL THEN 'AllocatedMethodDetails-Elements' END,
			CASE WHEN json_typeof(json_or_null(r."ContractApplied")) = 'object' AND NOT focus_contract_applied(r."ContractApplied") THEN 'ContractApplied-Elements' END
		]) AS u (rule)
		WHERE u.rule IS NOT NULL

	-- rows against each other: the first one of those that belong together
	), group_violation AS (
		SELECT min(g.row_number) AS row_number, 'SkuPriceId-C-008-M' AS rule
		FROM given AS g
		GROUP BY g.record ->> 'SkuPriceId'
		HAVING g.record ->> 'SkuPriceId' IS NOT NULL AND min(g.record ->> 'SkuId') < max(g.record ->> 'SkuId')
		UNION ALL
		SELECT min(g.row_number), 'ServiceName-C-005-C'
		FROM given AS g
		GROUP BY g.record ->> 'ServiceName'
		HAVING g.record ->> 'ServiceName' IS NOT NULL AND min(g.record ->> 'ServiceCategory') < max(g.record ->> 'ServiceCategory')
		UNION ALL
		SELECT min(g.row_number), 'DiscountHandling-A-011-C'
		FROM given AS g
		GROUP BY g.record ->> 'CommitmentDiscountId'
		HAVING g.record ->> 'CommitmentDiscountId' IS NOT NULL
		-- where we see the whole term
		AND min(focus_instant(g.record ->> 'ChargePeriodStart')) FILTER (WHERE g.record ->> 'CommitmentDiscountStatus' IS NOT NULL)
			<= min(focus_instant(g.record ->> 'ChargePeriodStart')) FILTER (WHERE g.record ->> 'ChargeCategory' = 'Purchase')
		AND max(focus_instant(g.record ->> 'ChargePeriodEnd')) FILTER (WHERE g.record ->> 'CommitmentDiscountStatus' IS NOT NULL)
			>= max(focus_instant(g.record ->> 'ChargePeriodEnd')) FILTER (WHERE g.record ->> 'ChargeCategory' = 'Purchase')
		AND sum(focus_number(g.record ->> 'EffectiveCost')) FILTER (WHERE g.record ->> 'CommitmentDiscountStatus' IS NOT NULL)
			<> sum(focus_number(g.record ->> 'BilledCost')) FILTER (WHERE g.record ->> 'ChargeCategory' = 'Purchase')
		UNION ALL
		-- a charge that was split: alike in all but who got it, and how much
		SELECT min(g.row_number), 'AllocatedMethodDetails-Ratio'
		FROM given AS g, (
			SELECT array_agg(n.name) AS names
			FROM present, unnest(present.names) AS n (name)
			WHERE n.name IN ('BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost', 'PricingQuantity', 'ConsumedQuantity',
				'CommitmentDiscountQuantity', 'PricingCurrencyEffectiveCost', 'ContractApplied', 'ChargeDescription', 'InvoiceDetailId',
				'AllocatedMethodDetails', 'AllocatedResourceId', 'AllocatedResourceName', 'AllocatedTags')
			OR n.name NOT IN (SELECT m.column_name FROM model AS m)
		) AS varying
		WHERE g.record ->> 'AllocatedMethodId' IS NOT NULL AND g.record ->> 'ChargeClass' IS DISTINCT FROM 'Correction'
		GROUP BY g.record - varying.names
		HAVING sum(focus_allocated_ratio(g.record ->> 'AllocatedMethodDetails')) <> 1
		UNION ALL
		SELECT max(g.row_number), 'InvoiceDetailId-Unique'
		FROM given AS g
		GROUP BY g.record ->> 'InvoiceDetailId'
		HAVING count(g.record ->> 'InvoiceDetailId') > 1
		UNION ALL
		SELECT max(g.row_number), 'BillingPeriodStart-Unique'
		FROM given AS g
		GROUP BY g.record ->> 'BillingPeriodStart', g.record ->> 'BillingPeriodEnd', g.record ->> 'InvoiceIssuerName'
		HAVING count(*) > 1
		UNION ALL
		SELECT i.row_number, 'RoundingVarianceTolerance'
		FROM (
			SELECT g.record ->> 'InvoiceId' AS invoice_id, min(g.row_number) AS row_number, max(g.record ->> 'BillingCurrency') AS currency,
				sum(focus_number(g.record ->> 'BilledCost')) AS billed
			FROM given AS g
			WHERE g.record ->> 'ChargeCategory' IS DISTINCT FROM 'Tax' AND g.record ->> 'InvoiceIssueStatus' = 'Issued'
			GROUP BY g.record ->> 'InvoiceId'
		) AS i
		LEFT JOIN (
			SELECT c.record ->> 'InvoiceId' AS invoice_id, count(*) AS rows, sum(focus_number(c.record ->> 'BilledCost')) AS billed
			FROM (SELECT focus_violations.charges WHERE focus_violations.charges IS NOT NULL) AS b, focus_rows(b.charges) AS c
			WHERE c.record ->> 'ChargeCategory' IS DISTINCT FROM 'Tax'
			GROUP BY c.record ->> 'InvoiceId'
		) AS c ON c.invoice_id = i.invoice_id
		WHERE charges IS NOT NULL
		AND abs(i.billed - coalesce(c.billed, 0)) > focus_rounding_tolerance(coalesce(c.rows, 0), ('1E-' || currency_scale(i.currency))::numeric)

	), violation AS (
		SELECT NULL::bigint AS row_number, 'ColumnPresent' AS rule, m.column_name,
			format('%s must be there: it is mandatory.', m.column_name) AS message
		FROM model AS m
		WHERE complete AND m.level = 'Mandatory' AND NOT m.present
		UNION ALL
		SELECT k.row_number, k.rule, k.column_name,
			format(CASE k.rule
				WHEN 'NotNull' THEN '%1$s must not be null.'
				WHEN 'NullHandling-A-002-M' THEN '%1$s must be null, and not %2$L, where there is no value.'
				WHEN 'AllowedValues' THEN '%1$s must be one of the allowed values: it is %2$L.'
				WHEN 'KeyValueFormat-A-003-M' THEN '%1$s must have each key once, and values that are neither objects nor arrays: it is %2$L.'
				ELSE '%1$s must be in the format of its kind: it is %2$L.' END, k.column_name, left(k.value, 200))
		FROM column_violation AS k
		UNION ALL
		SELECT v.row_number, f.rule, f.columns[1],
			format('%s %s: %s.', f.columns[1], f.requirement, (
				SELECT string_agg(format('%s is %s', n.name, coalesce(left(g.record ->> n.name, 200), 'null')), ', ' ORDER BY n.ordinality)
				FROM unnest(f.columns) WITH ORDINALITY AS n (name, ordinality)))
		FROM (SELECT r.row_number, r.rule FROM row_violation AS r UNION ALL SELECT o.row_number, o.rule FROM group_violation AS o) AS v
		JOIN focus_rules() AS f ON f.rule = v.rule AND f.dataset = coalesce(focus_violations.dataset, 'CostAndUsage')
		JOIN given AS g ON g.row_number = v.row_number
		WHERE f.columns <@ (SELECT array_agg(m.column_name) FROM model AS m WHERE m.present)
	)
	SELECT v.row_number, v.rule, v.column_name, v.message, g.record
	FROM violation AS v
	LEFT JOIN given AS g ON g.row_number = v.row_number
	ORDER BY v.row_number NULLS FIRST, v.column_name, v.rule;
END;
COMMENT ON FUNCTION focus_violations(regclass, focus_dataset, focus_version, boolean, regclass) IS
'Where a table or view breaks the rules of a dataset of FOCUS: which row (its number as read, and the row itself; of rows that belong together the first, NULL if a column is missing), which rule, and why. Its columns are named as in FOCUS, and of any type; those that it lacks are not checked, unless complete is true, which demands the mandatory ones. charges are the rows of Cost and Usage to check issued invoices against. A null in a condition is a value like any other, so that rules about what is "not Correction" hold for rows without a ChargeClass. Errors: 22004, 42501, 42809.';

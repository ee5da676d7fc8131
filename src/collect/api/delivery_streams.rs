//! `firehose:DescribeDeliveryStream`: only the streams that flow logs name, one a call.

use aws_sdk_firehose::types::{DeliveryStreamDescription, DestinationDescription};
use futures_util::future::BoxFuture;

use super::{Asked, ReferredApi};
use crate::{
    collect::{
        failure::{Failure, FailureKind},
        referred::{Kind, Referred, Target},
        shape::{Origin, Shape, StubReason, stub},
    },
    model::Asset,
};

/// Reads `DeliveryStream`.
#[derive(Debug)]
pub(crate) struct DescribeDeliveryStream;

const DESCRIBE: &str = "firehose:DescribeDeliveryStream";

impl ReferredApi for DescribeDeliveryStream {
    fn asset_type(&self) -> &'static str {
        "DeliveryStream"
    }

    fn action(&self) -> &'static str {
        DESCRIBE
    }

    fn least_calls(&self, origin: &Origin, referred: &Referred) -> usize {
        referred.own(Kind::DeliveryStream, &origin.caller, &origin.region).len()
    }

    fn read<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Vec<Asset>, Failure>> {
        Box::pin(async move {
            let Asked { connection, origin, referred } = asked;
            let foreign = referred.foreign(Kind::DeliveryStream, &origin.caller, &origin.region);
            let mut assets: Vec<Asset> = foreign.into_iter().map(|target| stub_of(target, origin)).collect();
            let own = referred.own(Kind::DeliveryStream, &origin.caller, &origin.region);
            if own.is_empty() {
                return Ok(assets);
            }
            let client = connection.firehose(&origin.caller, &origin.region);
            for target in own {
                asked.pace(DESCRIBE).await;
                let call = client.describe_delivery_stream().delivery_stream_name(&target.name);
                match call.send().await.map_err(Failure::from) {
                    Ok(answer) => {
                        let description = answer.delivery_stream_description.as_ref();
                        assets.extend(description.map(|stream| shape(stream, target, origin)));
                    }
                    Err(failure) if failure.kind == FailureKind::NotFound => {}
                    Err(failure) => return Err(failure),
                }
            }
            Ok(assets)
        })
    }
}

fn shape(stream: &DeliveryStreamDescription, target: &Target, origin: &Origin) -> Asset {
    let destinations = || stream.destinations().iter();
    Shape::new("DeliveryStream", target.arn.clone(), &target.name, &target.account_id, origin)
        .text("name", Some(&target.name))
        .unseen(&["tags"])
        .time("createdAt", stream.create_timestamp())
        .text("deliveryStreamName", Some(&target.name))
        .text("status", Some(stream.delivery_stream_status().as_str()))
        .texts("destinationKinds", destinations().filter_map(kind_of))
        .texts("bucketArns", destinations().filter_map(bucket_of))
        .build()
}

/// What a stream delivers to. One to S3 alone is described twice, once in an older form.
fn kind_of(destination: &DestinationDescription) -> Option<&'static str> {
    let given = [
        ("redshift", destination.redshift_destination_description().is_some()),
        ("elasticsearch", destination.elasticsearch_destination_description().is_some()),
        ("opensearch", destination.amazonopensearchservice_destination_description().is_some()),
        ("splunk", destination.splunk_destination_description().is_some()),
        ("http-endpoint", destination.http_endpoint_destination_description().is_some()),
        ("snowflake", destination.snowflake_destination_description().is_some()),
        (
            "opensearch-serverless",
            destination.amazon_open_search_serverless_destination_description().is_some(),
        ),
        ("iceberg", destination.iceberg_destination_description().is_some()),
        ("s3", destination.extended_s3_destination_description().is_some()),
        ("s3", destination.s3_destination_description().is_some()),
    ];
    given.into_iter().find(|(_, given)| *given).map(|(kind, _)| kind)
}

fn bucket_of(destination: &DestinationDescription) -> Option<&str> {
    let extended = destination.extended_s3_destination_description().map(|s3| s3.bucket_arn());
    let plain = || destination.s3_destination_description().map(|s3| s3.bucket_arn());
    let backup = || {
        let splunk = destination.splunk_destination_description();
        let http = destination.http_endpoint_destination_description();
        let of_splunk = splunk.and_then(|splunk| splunk.s3_destination_description());
        of_splunk
            .or_else(|| http.and_then(|http| http.s3_destination_description()))
            .map(|s3| s3.bucket_arn())
    };
    extended.or_else(plain).or_else(backup)
}

fn stub_of(target: &Target, origin: &Origin) -> Asset {
    stub("DeliveryStream", target, origin, StubReason::NotScanned)
        .text("deliveryStreamName", Some(&target.name))
        .unseen(&["createdAt", "status", "destinationKinds", "bucketArns"])
        .build()
}

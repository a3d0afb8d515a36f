"""Quantizes each day's model with each day's samples.

Needs the providers package apache-airflow-providers-apache-spark and a Spark connection. The run directory is named after
the logical date: a task that is run again for a date goes on where it stopped, and does nothing once that date is done.
"""

from datetime import datetime, timedelta

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG

ROOT = "/opt/spark-gptq"

SUBMIT = {
    "conn_id": "spark_default",
    "application": f"{ROOT}/gptq-jobs-all.jar",
    "java_class": "dev.gptq.jobs.GptqCommand",
    "conf": {
        "spark.driver.defaultJavaOptions": "-Dai.djl.offline=true",
        "spark.executor.defaultJavaOptions": "-Dai.djl.offline=true",
        "spark.executorEnv.OMP_NUM_THREADS": "1",
        "spark.executorEnv.OPT_OUT_TRACKING": "true",
        "spark.executor.memoryOverhead": "4g",
    },
    "env_vars": {"OMP_NUM_THREADS": "1", "OPT_OUT_TRACKING": "true"},
    "driver_memory": "4g",
    "executor_memory": "4g",
    "executor_cores": 4,
    "num_executors": 4,
}

ARGUMENTS = [
    f"{ROOT}/conf/run.yaml",
    "--set",
    "model=s3a://models/{{ ds }}/classifier.onnx",
    "--set",
    "data.calibration.path=s3a://datasets/{{ ds }}/calibration.parquet",
    "--set",
    "output.path=s3a://models/{{ ds }}/classifier-w4",
]

with DAG(
    dag_id="gptq_daily",
    description="Quantizes each day's model",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    # Two runs never write to one directory: the dates differ. One at a time leaves the cluster to it.
    max_active_runs=1,
    # A driver that died leaves the lock of the run directory, which counts as left behind after a minute.
    default_args={"retries": 3, "retry_delay": timedelta(minutes=2)},
) as dag:
    check = SparkSubmitOperator(
        task_id="check",
        name="gptq-check-{{ ds }}",
        application_args=["quantize", *ARGUMENTS, "--dry-run"],
        **SUBMIT,
    )
    quantize = SparkSubmitOperator(
        task_id="quantize",
        name="gptq-{{ ds }}",
        application_args=["quantize", *ARGUMENTS],
        **SUBMIT,
    )
    check >> quantize

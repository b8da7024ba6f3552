# SPDX-License-Identifier: Apache-2.0
"""Real node, a real video file, and messages as the usual drivers send them."""

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.camera import CameraNode
from asgf_nav_ros.sight.view import Camera

WIDE = Camera(width=160, height=120, fx=40, fy=40, cx=80, cy=60)  # 127 x 113 degrees
TALL = Camera(width=160, height=120, fx=80, fy=80, cx=80, cy=60)  # 90 x 74 degrees
PICTURE = np.zeros((120, 160, 3), np.uint8)
PICTURE[:, :80], PICTURE[:, 80:] = (240, 20, 30), (10, 220, 40)


@pytest.fixture(autouse=True)
def _listen(ros):
    for kind, topic in ((Image, graph.COLOR), (Image, graph.DEPTH),
                        (CameraInfo, graph.CAMERA_INFO)):
        ros.listen(kind, topic)


@pytest.fixture
def video(tmp_path):
    path = tmp_path / 'walk.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 20.0, (160, 120))
    for _ in range(10):
        writer.write(PICTURE[..., ::-1])
    writer.release()
    return str(path)


def colors(ros):
    return [messages.color_of(message) for message in ros.heard[graph.COLOR]]


def test_a_file_comes_out_as_the_policy_wants_to_see_it(ros, model_path, contract, video):
    before_s = ros.probe.get_clock().now().nanoseconds * 1e-9
    ros.start(CameraNode, model_path=model_path, source='file', path=video, hfov_rad=2.2)
    ros.until(lambda: len(ros.heard[graph.COLOR]) > 3 and ros.heard[graph.CAMERA_INFO])
    picture = colors(ros)[0]
    assert picture.shape == (contract.image_height, contract.image_width, 3)
    assert picture[16, 2, 0] > 200 > picture[16, 2, 1] and picture[16, -3, 1] > 190
    info = messages.camera_of(ros.heard[graph.CAMERA_INFO][0])
    assert info == Camera.of_contract(contract)
    stamps = [messages.seconds(message.header.stamp) for message in ros.heard[graph.COLOR]]
    assert before_s < stamps[0] < stamps[1] and ros.heard[graph.COLOR][0].header.frame_id
    ros.until(lambda: ros.complained('walk.avi is over'))


def test_a_narrow_camera_is_used_and_named(ros, model_path, video):
    ros.start(CameraNode, model_path=model_path, source='file', path=video, loop=True,
              hfov_rad=1.5708)
    ros.until(lambda: ros.heard[graph.COLOR])
    ros.until(lambda: ros.complained('vertical field of view of 90.0 deg, the camera has 73.7'))
    assert (colors(ros)[0][[0, -1]] == 0).all() and colors(ros)[0][16, 2, 0] > 200


def test_a_camera_that_sees_too_little_is_refused(ros, model_path, video):
    ros.start(CameraNode, model_path=model_path, source='file', path=video, loop=True,
              hfov_rad=0.5)
    ros.until(lambda: ros.complained('refused: the policy wants a horizontal field of view'))
    assert not ros.heard[graph.COLOR]


def test_a_calibrated_lens_is_straightened_before_it_is_cropped(
        ros, model_path, video, tmp_path):
    file = tmp_path / 'lens.yaml'
    file.write_text('image_width: 160\nimage_height: 120\ndistortion_model: plumb_bob\n'
                    'camera_matrix: {data: [40, 0, 80, 0, 40, 60, 0, 0, 1]}\n'
                    'distortion_coefficients: {data: [-0.05, 0, 0, 0, 0]}\n')
    ros.start(CameraNode, model_path=model_path, source='file', path=video, loop=True,
              calibration_file=str(file))
    ros.until(lambda: ros.heard[graph.COLOR])
    assert colors(ros)[0][16, 2, 0] > 200


def test_a_camera_that_is_not_there_is_named(ros, model_path):
    ros.start(CameraNode, model_path=model_path, path='77')
    ros.until(lambda: ros.complained("cannot open device '77'"))


class Driver:
    """A camera driver on the node's topics."""

    def __init__(self, ros, model_path, **parameters):
        self.ros = ros
        ros.start(CameraNode, model_path=model_path, source='topics',
                  sensor_reliability='reliable', **parameters)
        kind = CompressedImage if parameters.get('compressed') else Image
        self.color = ros.talk(kind, 'camera/driver/color')
        self.depth = ros.talk(Image, 'camera/driver/depth')
        self.info = ros.talk(CameraInfo, 'camera/driver/camera_info')

    def send(self, color=None, depth=None, *, camera=WIDE):
        self.info.publish(messages.camera_message(camera, 4.0, 'optical'))
        self.ros.settle(0.1)
        if color is not None:
            self.color.publish(color)
        if depth is not None:
            self.depth.publish(depth)


def image(data, encoding, *, size=(120, 160), padding=0, is_bigendian=False):
    rows = np.ascontiguousarray(data).view(np.uint8).reshape(size[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    message = Image(header=messages.header('optical', 5.0), encoding=encoding, height=size[0],
                    width=size[1], step=rows.shape[1], is_bigendian=is_bigendian)
    message.data = rows.tobytes()
    return message


ALPHA = np.full((120, 160, 1), 9, np.uint8)


@pytest.mark.parametrize('message', [
    image(PICTURE, 'rgb8'), image(PICTURE[..., ::-1], 'bgr8', padding=32),
    image(np.concatenate([PICTURE, ALPHA], axis=2), 'rgba8'),
    image(np.concatenate([PICTURE[..., ::-1], ALPHA], axis=2), 'bgra8')],
    ids=lambda message: message.encoding)
def test_colour_of_the_usual_drivers(ros, model_path, message):
    Driver(ros, model_path).send(message)
    ros.until(lambda: ros.heard[graph.COLOR])
    np.testing.assert_array_equal(colors(ros)[0][16, [2, -3]], [(240, 20, 30), (10, 220, 40)])
    assert messages.seconds(ros.heard[graph.COLOR][0].header.stamp) == 5.0
    assert ros.heard[graph.COLOR][0].header.frame_id == 'optical'


def test_grey_images_are_grey(ros, model_path):
    Driver(ros, model_path).send(image(PICTURE[..., 0], 'mono8'))
    ros.until(lambda: ros.heard[graph.COLOR])
    assert colors(ros)[0][16, 2].tolist() == [240, 240, 240]


def test_compressed_colour(ros, model_path):
    data = cv2.imencode('.jpg', PICTURE[..., ::-1])[1].tobytes()
    driver = Driver(ros, model_path, compressed=True)
    driver.send(CompressedImage(header=messages.header('optical', 5.0), format='jpeg',
                                data=b'\xff\xd8 no picture'))
    ros.until(lambda: ros.complained('refused: a JPEG image of'))
    driver.send(CompressedImage(header=messages.header('optical', 5.0), format='jpeg', data=data))
    ros.until(lambda: ros.heard[graph.COLOR])
    assert colors(ros)[0][16, 2, 0] > 220


METRES = np.full((120, 160), 2.5, np.float32)
METRES[:, 80:] = 20.0
METRES[40:80, 70:80] = (np.nan, np.inf, -np.inf, 0, -1) * 2


@pytest.mark.parametrize('message', [
    image(METRES, '32FC1'), image(METRES.astype('>f4'), '32FC1', is_bigendian=True),
    image(np.where(np.isfinite(METRES) & (METRES > 0), METRES * 1000, 0).astype('<u2'), '16UC1',
          padding=8)], ids=['metres', 'metres, big endian', 'millimetres'])
def test_depth_of_the_usual_drivers(ros, model_path, message):
    Driver(ros, model_path).send(depth=message)
    ros.until(lambda: ros.heard[graph.DEPTH])
    depth = messages.depth_of(ros.heard[graph.DEPTH][0])
    assert depth[2, 2] == 2.5 and depth[2, -3] == 10.0 and depth[16, 14] == 0.0


def test_depth_that_a_narrow_camera_does_not_see_is_invalid(ros, model_path):
    Driver(ros, model_path).send(depth=image(METRES, '32FC1'), camera=TALL)
    ros.until(lambda: ros.heard[graph.DEPTH])
    depth = messages.depth_of(ros.heard[graph.DEPTH][0])
    assert (depth[:3] == 0).all() and (depth[5:12] > 0).all() and (depth[-3:] == 0).all()


def test_images_that_are_not_of_the_camera_info_are_refused(ros, model_path):
    driver = Driver(ros, model_path)
    driver.send(image(PICTURE[:60], 'rgb8', size=(60, 160)))
    ros.until(lambda: ros.complained('rgb must be (120, 160, 3) uint8 as its camera_info says'))
